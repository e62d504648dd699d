/* body.h - what an editor is, for the files that make one: editor.c its life
 * and its methods, keys.c what the library calls, screen.c what is seen. */
#ifndef CLI_REPL_BODY_H
#define CLI_REPL_BODY_H

#include <lauxlib.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <uv.h>
#include <wchar.h>

#include "cli/repl/editor/libedit.h"
#include "host/handle.h"

struct fiber;

enum step { STEP_KEYS, STEP_LINE, STEP_COMPLETE, STEP_INTERRUPTED, STEP_END };

struct editor {
  struct handle handle; /* first member */
  uv_async_t uv;
  const struct libedit *lib;
  struct fiber *fiber;
  EditLine *el;
  History *history;
  FILE *in, *out, *err;
  locale_t locale; /* of the terminal: the script's stays "C" */
  mbstate_t decoding;
  char *prompt;
  char *insert, *list; /* the answer to STEP_COMPLETE, or NULL */
  const char *text;    /* of STEP_LINE: the library's, until the next one */
  int size;
  int ahead; /* bytes that were there when the last line had been entered */
  enum step step;
  bool edits;       /* a line, now */
  bool hidden;      /* because of what others write */
  bool interrupted; /* to be told to the library */
  volatile sig_atomic_t resized, resumed;
};

/* keys.c */
void keys_configure(struct editor *editor);
void keys_run(void *editor); /* the fiber's body */

/* screen.c; these three where the editor's locale is in place */
void screen_draw(struct editor *editor);     /* again, where the cursor is */
void screen_go_below(struct editor *editor); /* what is seen stays */
void screen_update(struct editor *editor);   /* it was resized or resumed */
void screen_hide(struct editor *editor);
/* Others are about to write this to the terminal. */
void screen_make_room(struct editor *editor, const char *bytes, size_t size);
void screen_begin_line(struct editor *editor); /* after what others wrote */

#endif
