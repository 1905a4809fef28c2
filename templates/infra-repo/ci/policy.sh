# Sets `policy` to the options of a policy pack, if the repository has one (templates/policy-pack) at policy-pack/.
#
# Previews and updates take the same pack: a rule that only a preview asks does not hold what a re-run or a hand does.
policy=()
if test -f policy-pack/run; then
  python3 -m venv policy-pack/.venv
  policy-pack/.venv/bin/pip install --quiet --requirement policy-pack/requirements.txt >&2
  policy=(--policy-pack policy-pack/run)
fi
