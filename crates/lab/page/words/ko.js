// 페이지의 한국어 문구. 모든 키가 모든 언어에 있고, 함수는 값을 같은 순서로 받는다.
export const words = {
  title: "Downhill",
  skip: "본문으로 건너뛰기",
  places: "메뉴",
  learn: "배우기",
  stops: "그림",
  language: "언어",
  theme: "화면 색",
  "theme-auto": "시스템 설정",
  "theme-light": "밝게",
  "theme-dark": "어둡게",
  close: "닫기",
  nowhere: "이 주소에는 아무것도 없습니다.",
};
