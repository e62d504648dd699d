/* fingerprints.c - one job of the thread pool for the whole list: whoever asks
 * wants to know of all of them, and of one moment, as near as can be had. */
#include "modules/hot/fingerprints.h"

#include <string.h>

#include "host/fingerprint.h"
#include "host/questions.h"

static void work(const char *path, void *memo, struct answers *answers) {
  struct fingerprint fingerprint;
  char text[FINGERPRINT_TEXT];
  (void)memo;
  if (!fingerprint_file(path, &fingerprint)) return;
  fingerprint_format(&fingerprint, text);
  answers_add(answers, text, strlen(text));
}

static void push(lua_State *L, const char *answer, size_t size) {
  lua_pushlstring(L, answer, size);
}

static const struct question question = {
  {.wait = {"fingerprints", question_finish, job_interrupt},
   .work = question_work,
   .free = question_free},
  work,
  push,
  0};

int hot_fingerprints(lua_State *L) {
  return questions_ask(L, &question);
}
