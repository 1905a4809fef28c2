"""Keep one note beside a merge request, or one issue, in GitLab.

`gitlab.py note FILE` writes the file as a note, in place of the one that it wrote before.
`gitlab.py issue FILE FOUND` opens or updates the issue if FOUND is 3, closes it if FOUND is 0, and otherwise fails and
leaves it as it is, because Astro could not be looked at.
"""

import os
import sys
from pathlib import Path
from typing import Any

import httpx

MARKER = "<!-- access -->"
LABEL = "access-drift"
TITLE = "Astro is not as the stacks say"


def gitlab() -> httpx.Client:
    """A client of the project's own part of the API."""
    address = f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}"
    return httpx.Client(base_url=address, headers={"PRIVATE-TOKEN": os.environ["GITLAB_TOKEN"]}, timeout=30)


def asked(client: httpx.Client, method: str, path: str, **values: Any) -> Any:
    """The answer to one call; a refusal ends the job."""
    return client.request(method, path, **values).raise_for_status().json()


def note(client: httpx.Client, text: str) -> None:
    """Write the note, in place of ours that is there."""
    path = f"/merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes"
    me = asked(client, "GET", f"{os.environ['CI_API_V4_URL']}/user")["id"]
    body = {"body": f"{MARKER}\n{text}\nOf commit {os.environ['CI_COMMIT_SHA']}, in {os.environ['CI_PIPELINE_URL']}.\n"}
    page = 1
    while notes := asked(client, "GET", path, params={"per_page": 100, "page": page}):
        for one in notes:
            if one["author"]["id"] == me and one["body"].startswith(MARKER):
                asked(client, "PUT", f"{path}/{one['id']}", json=body)
                return
        page += 1
    asked(client, "POST", path, json=body)


def issue(client: httpx.Client, text: str, *, found: bool) -> None:
    """Open the issue, update it, or close it."""
    there = asked(client, "GET", "/issues", params={"labels": LABEL, "state": "opened"})
    values = (
        {"description": f"{text}\nFound in {os.environ['CI_PIPELINE_URL']}.\n"} if found else {"state_event": "close"}
    )
    if there:
        asked(client, "PUT", f"/issues/{there[0]['iid']}", json=values)
    elif found:
        asked(client, "POST", "/issues", json={"title": TITLE, "labels": LABEL, **values})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["note", file]:
            note(gitlab(), Path(file).read_text())
        case ["issue", file, "0" | "3" as found]:
            issue(gitlab(), Path(file).read_text(), found=found == "3")
        case _:
            sys.exit("Astro could not be looked at; the issue stays as it is.")
