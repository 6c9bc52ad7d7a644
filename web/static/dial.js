// The semantic weight as a slider: the number field stays the truth, so that the form is the same without this.

const dial = document.querySelector("[data-dial]");
const number = dial?.querySelector("input[type=number]");
if (number) {
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.05, value: number.value });
  slider.setAttribute("aria-label", "Semantic weight, from words alone to meaning alone");
  slider.addEventListener("input", () => { number.value = slider.value; });
  number.addEventListener("input", () => { slider.value = number.value; });
  number.before(slider);
  const modes = [...document.querySelectorAll("input[name=mode]")];
  const show = () => { dial.hidden = modes.some((mode) => mode.checked && mode.value !== "hybrid"); };
  modes.forEach((mode) => mode.addEventListener("change", show));
  show();
}
