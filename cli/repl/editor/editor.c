/* editor.c - an editor is a handle: its uv_async draws the line again after
 * others have written. The library believes that it blocks: it runs in a fiber,
 * and tasks only ever see the steps it takes. */
#include "cli/repl/editor/editor.h"

#include <lauxlib.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/repl/editor/body.h"
#include "cli/repl/editor/fiber.h"
#include "cli/repl/editor/terminal.h"
#include "host/host.h"
#include "host/output.h"

static const char class_name[] = "neap.editor";

static struct editor *the_editor; /* a process has one terminal */

/* ---- what happens to its terminal ---------------------------------------- */

static void about_to_write(const char *bytes, size_t size) {
  screen_make_room(the_editor, bytes, size);
}

static void on_async(uv_async_t *uv) {
  struct editor *editor = uv->data;
  if (!editor->edits) return;
  locale_t old = uselocale(editor->locale);
  screen_update(editor);
  uselocale(old);
}

static void on_change(int number) { /* a signal handler */
  struct editor *editor = the_editor;
  if (editor == NULL || editor->handle.uv == NULL) return; /* not open yet */
  if (number == SIGWINCH) editor->resized = 1;
  if (number == SIGCONT) editor->resumed = 1;
  uv_async_send(&editor->uv);
}

/* ---- open and close ------------------------------------------------------ */

static FILE *open_copy(int fd, const char *mode) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  FILE *file = copy < 0 ? NULL : fdopen(copy, mode);
  if (file == NULL && copy >= 0) close(copy);
  return file;
}

/* The terminal speaks the user's language, or at least UTF-8. */
static locale_t open_locale(void) {
  locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (locale != (locale_t)0) {
    locale_t old = uselocale(locale);
    bool has_letters = MB_CUR_MAX > 1;
    uselocale(old);
    if (has_letters) return locale;
    freelocale(locale);
  }
  locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  return locale != (locale_t)0 ? locale
                               : newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

static bool start(struct editor *editor) {
  editor->locale = open_locale();
  editor->in = open_copy(STDIN_FILENO, "r");
  editor->out = open_copy(STDOUT_FILENO, "w");
  editor->err = open_copy(STDERR_FILENO, "w");
  editor->prompt = calloc(1, 1);
  editor->fiber = fiber_new(keys_run, editor);
  if (editor->in == NULL || editor->out == NULL || editor->err == NULL ||
      editor->prompt == NULL || editor->fiber == NULL)
    return false;
  editor->history = editor->lib->history_init();
  if (editor->history == NULL) return false;
  locale_t old = uselocale(editor->locale);
  editor->el = editor->lib->init("neap", editor->in, editor->out, editor->err);
  if (editor->el != NULL) keys_configure(editor);
  uselocale(old);
  return editor->el != NULL;
}

static void close_file(FILE *file) {
  if (file != NULL) fclose(file);
}

static void stop(struct editor *editor) {
  if (editor->edits && !editor->hidden) screen_hide(editor);
  editor->edits = false;
  if (editor->el != NULL) editor->lib->end(editor->el);
  if (editor->history != NULL) editor->lib->history_end(editor->history);
  terminal_close();
  fiber_free(editor->fiber);
  close_file(editor->in);
  close_file(editor->out);
  close_file(editor->err);
  if (editor->locale != (locale_t)0) freelocale(editor->locale);
  free(editor->prompt);
  free(editor->insert);
  free(editor->list);
}

static void on_close(struct handle *h) {
  output_set_watch(NULL);
  stop((struct editor *)h);
  the_editor = NULL;
}

static const struct work_kind editor_kind = {.name = "editor",
                                             .stop = handle_stop};

static int fail(lua_State *L, const char *why) {
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* ---- methods ------------------------------------------------------------- */

static struct editor *check_editor(lua_State *L) {
  return handle_check(L, 1, class_name);
}

static char *copy(lua_State *L, int index) {
  const char *text = luaL_optstring(L, index, NULL);
  if (text == NULL) return NULL;
  char *result = strdup(text);
  if (result == NULL) luaL_error(L, "not enough memory");
  return result;
}

static int editor_begin(lua_State *L) {
  struct editor *editor = check_editor(L);
  luaL_checkstring(L, 2);
  char *prompt = copy(L, 2);
  free(editor->prompt);
  editor->prompt = prompt;
  screen_begin_line(editor);
  editor->interrupted = false;
  editor->edits = true;
  return 0;
}

static int push_line(lua_State *L, struct editor *editor) {
  size_t size = (size_t)editor->size;
  if (size > 0 && editor->text[size - 1] == '\n') size--;
  lua_pushlstring(L, editor->text, size);
  return 2;
}

static int push_text_before_cursor(lua_State *L, struct editor *editor) {
  locale_t old = uselocale(editor->locale);
  const LineInfo *line = editor->lib->line(editor->el);
  uselocale(old);
  lua_pushlstring(L, line->buffer, (size_t)(line->cursor - line->buffer));
  return 2;
}

static int editor_step(lua_State *L) {
  static const char *const names[] = {"keys", "line", "complete", "interrupted",
                                      "end"};
  struct editor *editor = check_editor(L);
  if (!editor->edits) return luaL_error(L, "no line has been begun");
  locale_t old = uselocale(editor->locale);
  if (editor->hidden) screen_draw(editor);
  fiber_enter(editor->fiber);
  uselocale(old);
  lua_pushstring(L, names[editor->step]);
  if (editor->step == STEP_LINE) return push_line(L, editor);
  if (editor->step == STEP_COMPLETE) return push_text_before_cursor(L, editor);
  return 1;
}

static int editor_answer(lua_State *L) {
  struct editor *editor = check_editor(L);
  free(editor->insert);
  free(editor->list);
  editor->insert = editor->list = NULL; /* copy() may raise */
  editor->insert = copy(L, 2);
  editor->list = copy(L, 3);
  return 0;
}

static int editor_interrupt(lua_State *L) {
  struct editor *editor = check_editor(L);
  editor->interrupted = editor->edits;
  return 0;
}

static int editor_remember(lua_State *L) {
  struct editor *editor = check_editor(L);
  const char *text = luaL_checkstring(L, 2);
  HistEvent event;
  locale_t old = uselocale(editor->locale);
  editor->lib->history(editor->history, &event, H_ENTER, text);
  uselocale(old);
  return 0;
}

static int editor_columns(lua_State *L) {
  lua_pushinteger(L, terminal_columns(STDOUT_FILENO));
  return 1;
}

static const luaL_Reg methods[] = {
  {"answer", editor_answer},       {"begin", editor_begin},
  {"close", handle_method_close},  {"columns", editor_columns},
  {"interrupt", editor_interrupt}, {"remember", editor_remember},
  {"step", editor_step},           {NULL, NULL},
};

/* ---- editor_open() ------------------------------------------------------- */

static struct editor *new_editor(struct host *host, const struct libedit *lib) {
  struct editor *editor = handle_new(host, sizeof *editor);
  if (editor == NULL) return NULL;
  the_editor = editor;
  editor->lib = lib;
  terminal_open(STDIN_FILENO, on_change);
  if (start(editor) && uv_async_init(&host->loop, &editor->uv, on_async) == 0)
    return editor;
  the_editor = NULL;
  stop(editor);
  free(editor);
  return NULL;
}

int editor_open(lua_State *L) {
  const char *why = "";
  const struct libedit *lib = libedit_load(&why);
  if (lib == NULL) return fail(L, why);
  struct owner *owner = owner_here(L);
  handle_class(L, class_name, methods, NULL);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct editor *editor = new_editor(host_of(L), lib);
  if (editor == NULL) return fail(L, "this terminal cannot do it");
  editor->handle.on_close = on_close;
  handle_open(&editor->handle, &editor->uv, &editor_kind, owner);
  uv_unref((uv_handle_t *)&editor->uv);
  handle_fill_box(box, &editor->handle);
  output_set_watch(about_to_write);
  return 1;
}
