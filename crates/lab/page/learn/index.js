// The stops for people who learn: each `{ id, title: { en, ko }, mount(element, context) }`, where `context` is
// `{ lang, ask(figure, arguments), state, setState(patch) }`. `mount` may return a function that ends it.
export const stops = [];
