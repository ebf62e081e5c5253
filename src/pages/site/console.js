export class Console { constructor() { this.element = document.createElement("div"); } watch() {} show() {} screen() {} tick() {} close() {} }
