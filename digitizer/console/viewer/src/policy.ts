// The console's policy of content allows no style attribute, and the measuring tools set some. The
// same goes through the object model, which the policy allows.
const plain = SVGElement.prototype.setAttribute;

SVGElement.prototype.setAttribute = function (this: SVGElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else plain.call(this, name, value);
};
