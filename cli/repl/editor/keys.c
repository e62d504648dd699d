/* keys.c - what the library calls, in the fiber: for the next character, for
 * the prompt, and for the keys that are ours. It calls no Lua: what needs some
 * leaves the fiber, and goes on when the answer is there. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/repl/editor/body.h"
#include "cli/repl/editor/fiber.h"

enum { HISTORY_SIZE = 1000, CTRL_C = 3 };

static struct editor *the_editor; /* there is one terminal */

static struct editor *editor_of(EditLine *el) {
  (void)el;
  return the_editor;
}

static void leave(struct editor *editor, enum step step) {
  editor->step = step;
  fiber_leave(editor->fiber);
}

static char *get_prompt(EditLine *el) {
  return editor_of(el)->prompt;
}

static bool has_byte(void) {
  struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
  return poll(&fd, 1, 0) > 0;
}

/* One byte and no more: what follows the line is not ours. 0: none is there,
 * -1: none will come. */
static int read_byte(char *byte) {
  if (!has_byte()) return 0;
  ssize_t count = read(STDIN_FILENO, byte, 1);
  if (count == 1) return 1;
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* 1: there is a character. What is no text stands as a question mark. */
static int decode(struct editor *editor, char byte, wchar_t *key) {
  size_t count = mbrtowc(key, &byte, 1, &editor->decoding);
  if (count == (size_t)-2) return 0;
  if (count == (size_t)-1) {
    memset(&editor->decoding, 0, sizeof editor->decoding);
    *key = L'?';
  }
  return 1;
}

static int count_bytes(void) {
  int count = 0;
  return ioctl(STDIN_FILENO, FIONREAD, &count) == 0 ? count : 0;
}

static int read_key(EditLine *el, wchar_t *key) {
  struct editor *editor = editor_of(el);
  for (;;) {
    char byte;
    if (editor->interrupted) {
      editor->interrupted = false;
      *key = CTRL_C;
      return 1;
    }
    int count = read_byte(&byte);
    if (count < 0) return 0;
    if (count == 0)
      leave(editor, STEP_KEYS);
    else if (decode(editor, byte, key)) {
      if (byte == '\r' || byte == '\n') editor->ahead = count_bytes();
      return 1;
    }
  }
}

static unsigned char on_interrupt(EditLine *el, int key) {
  struct editor *editor = editor_of(el);
  (void)key;
  fputs("^C", editor->out);
  screen_go_below(editor);
  editor->step = STEP_INTERRUPTED;
  return CC_NEWLINE;
}

/* Nobody has typed a tab with something behind it: it was pasted. */
static unsigned char on_complete(EditLine *el, int key) {
  struct editor *editor = editor_of(el);
  (void)key;
  if (has_byte())
    return editor->lib->insertstr(el, "\t") == 0 ? CC_REFRESH : CC_ERROR;
  leave(editor, STEP_COMPLETE);
  editor->step = STEP_KEYS;
  if (editor->hidden) screen_draw(editor);
  if (editor->list != NULL) {
    screen_go_below(editor);
    fputs(editor->list, editor->out);
    editor->lib->set(el, EL_REFRESH);
  }
  if (editor->insert == NULL) return CC_NORM;
  return editor->lib->insertstr(el, editor->insert) == 0 ? CC_REFRESH
                                                         : CC_ERROR;
}

/* Before the prompt is seen. What was typed while the last line ran has been
 * shown by the terminal, and will be again as part of the next. */
static void prepare_terminal(struct editor *editor) {
  editor->lib->set(editor->el, EL_PREP_TERM, 1);
  if (count_bytes() > editor->ahead) fputc('\n', editor->out);
  editor->ahead = 0;
}

void keys_run(void *data) {
  struct editor *editor = data;
  for (;;) {
    editor->step = STEP_KEYS;
    editor->size = 0;
    prepare_terminal(editor);
    editor->text = editor->lib->gets(editor->el, &editor->size);
    if (editor->step != STEP_INTERRUPTED)
      editor->step =
        editor->text != NULL && editor->size > 0 ? STEP_LINE : STEP_END;
    if (editor->step == STEP_END) fputc('\n', editor->out);
    fflush(editor->out);
    editor->edits = editor->hidden = false;
    fiber_leave(editor->fiber);
  }
}

static void bind_key(struct editor *editor, const char *key, const char *name) {
  editor->lib->set(editor->el, EL_BIND, key, name, NULL);
  editor->lib->set(editor->el, EL_BIND, "-a", key, name, NULL); /* vi's other */
}

/* ~/.editrc may choose other keys, but not for these. */
void keys_configure(struct editor *editor) {
  const struct libedit *lib = editor->lib;
  EditLine *el = editor->el;
  HistEvent event;
  the_editor = editor;
  lib->set(el, EL_PROMPT_ESC, get_prompt, '\1');
  lib->set(el, EL_EDITOR, "emacs");
  lib->set(el, EL_SIGNAL, 0);
  lib->set(el, EL_GETCFN, read_key);
  lib->history(editor->history, &event, H_SETSIZE, HISTORY_SIZE);
  lib->history(editor->history, &event, H_SETUNIQUE, 1);
  lib->set(el, EL_HIST, lib->history, editor->history);
  /* el_set would make copies of the names, and lose them. */
  lib->wset(el, EL_ADDFN, L"neap-complete", L"Complete", on_complete);
  lib->wset(el, EL_ADDFN, L"neap-interrupt", L"Interrupt", on_interrupt);
  bind_key(editor, "^R", "em-inc-search-prev");
  lib->source(el, NULL);
  bind_key(editor, "^I", "neap-complete");
  bind_key(editor, "^C", "neap-interrupt");
}
