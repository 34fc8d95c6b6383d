"use strict";
// Shows the findings that match every filter. Without this script all are shown.
const form = document.getElementById("filters");
const findings = [...document.querySelectorAll(".finding")];
const groups = [...document.querySelectorAll(".group")];

function apply() {
  const wanted = [...form.querySelectorAll("select")].filter((select) => select.value);
  for (const finding of findings) {
    finding.hidden = wanted.some((select) => finding.dataset[select.name] !== select.value);
  }
  for (const group of groups) {
    group.hidden = !group.querySelector(".finding:not([hidden])");
  }
  const shown = findings.filter((finding) => !finding.hidden).length;
  form.querySelector("output").textContent = `${shown} of ${findings.length} shown`;
}

form.addEventListener("change", apply);
form.addEventListener("reset", () => setTimeout(apply)); // the event comes before the reset
form.hidden = findings.length === 0;
apply(); // a reloaded page keeps its filters
