/* screen.c - where the line is on the screen, how it makes room for what others
 * write, and how it comes back: at the left end of a line, below. */
#include "cli/repl/editor/body.h"
#include "cli/repl/editor/measure.h"
#include "cli/repl/editor/terminal.h"

#include <unistd.h>

#include "host/output.h"

static bool partial; /* the last that others wrote is no whole line */

/* Where the cursor is, and where the line ends, below the row of the prompt. */
static void find_rows(struct editor *editor, int *cursor, int *end) {
  const LineInfoW *line = editor->lib->wline(editor->el);
  struct measure measure = {terminal_columns(STDOUT_FILENO), 0, 0};
  measure_prompt(&measure, editor->prompt);
  measure_text(&measure, line->buffer, line->cursor);
  *cursor = measure.row;
  measure_text(&measure, line->cursor, line->lastchar);
  *end = measure.row;
}

void screen_hide(struct editor *editor) {
  int cursor, end;
  locale_t old = uselocale(editor->locale);
  find_rows(editor, &cursor, &end);
  fputc('\r', editor->out);
  if (cursor > 0) fprintf(editor->out, "\033[%dA", cursor);
  fputs("\033[J", editor->out);
  fflush(editor->out);
  uselocale(old);
  editor->hidden = true;
  uv_async_send(&editor->uv);
}

void screen_make_room(struct editor *editor, const char *bytes, size_t size) {
  partial = bytes[size - 1] != '\n';
  if (editor->edits && !editor->hidden) screen_hide(editor);
}

void screen_begin_line(struct editor *editor) {
  output_flush_buffers();
  output_settle();
  if (partial) fputc('\n', editor->out);
  partial = false;
}

void screen_draw(struct editor *editor) {
  screen_begin_line(editor);
  editor->hidden = false;
  editor->lib->set(editor->el, EL_REFRESH);
}

/* Below what is edited, so that it stays to be read. */
void screen_go_below(struct editor *editor) {
  int cursor, end;
  find_rows(editor, &cursor, &end);
  fputc('\r', editor->out);
  for (; cursor <= end; cursor++) fputc('\n', editor->out);
}

void screen_update(struct editor *editor) {
  if (editor->resized) editor->lib->resize(editor->el);
  if (editor->resumed) { /* the library must ask for its settings again */
    editor->lib->set(editor->el, EL_PREP_TERM, 0);
    editor->lib->set(editor->el, EL_PREP_TERM, 1);
  }
  if (editor->resized && !editor->hidden) screen_hide(editor);
  if (editor->hidden || editor->resumed) screen_draw(editor);
  editor->resized = editor->resumed = 0;
}
