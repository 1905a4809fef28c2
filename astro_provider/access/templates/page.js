for (const box of document.querySelectorAll(".filter")) {
  const rows = [...document.querySelectorAll("#" + box.dataset.of + " tbody tr")];
  const input = box.querySelector("input"), output = box.querySelector("output");
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    output.textContent = words.length ? shown + " of " + rows.length + " rows" : "";
  };
  box.hidden = false;
  input.addEventListener("input", apply);
}
