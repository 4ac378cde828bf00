/* The theme looks for every word as a prefix, so the "a" of a question finds half of the site. Here
   questions are freed of common words, and complete words are looked for as such. */
"use strict";
const COMMON = new Set(
  ("a about all am an and any are as at be been by can could did do does doing for from get gets " +
   "go has have how i if in is it its make may me mean means must my of on one or should so some " +
   "that the their them then there these they this to up us use used using want was we were what when " +
   "where which who why will with work would you your").split(" "));
const toWorker = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message, ...rest) {
  if (message && message.type === 2 && typeof message.data === "string") {
    message = { ...message, data: withoutCommonWords(message.data) };
  }
  return toWorker.call(this, message, ...rest);
};

function withoutCommonWords(question) {
  if (/["*~^+]/.test(question)) return question; // of somebody who knows the syntax
  const words = question.replace(/[?!,;:]+(\s|$)/g, " ").trim().split(/\s+/).filter(Boolean);
  const wanted = words.filter(word => !COMMON.has(word.toLowerCase()));
  if (!wanted.length) return question;
  const isTyping = /[\w]$/.test(question) ? wanted[wanted.length - 1] : "";
  return [...wanted.map(word => `${word}^1`), isTyping].join(" ").trim();
}
