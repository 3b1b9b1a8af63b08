// The words of the page in English. Each key is in every language; functions take the values in the same order.
export const words = {
  title: "Downhill",
  skip: "Skip to the content",
  places: "Places",
  learn: "Learn",
  stops: "Figures",
  language: "Language",
  theme: "Colours",
  "theme-auto": "System colours",
  "theme-light": "Light",
  "theme-dark": "Dark",
  close: "Close",
  nowhere: "There is nothing at this address.",
};
