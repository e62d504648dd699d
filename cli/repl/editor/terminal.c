/* terminal.c - signal handlers that put the settings back, and then do what
 * would have been done without them. All they call may be called there. */
#include "cli/repl/editor/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host/terminal.h"

enum { COLUMNS = 80 };

static struct {
  bool is_open;
  int fd;
  struct termios settings;
  void (*changed)(int number);
} terminal;

/* What ends the program, and what may interrupt it. */
static const int numbers[] = {SIGTERM, SIGHUP,  SIGQUIT, SIGABRT,
                              SIGTSTP, SIGCONT, SIGWINCH};
enum { COUNT = sizeof numbers / sizeof *numbers };

static struct sigaction before[COUNT];

static int index_of(int number) {
  int i = 0;
  while (numbers[i] != number) i++;
  return i;
}

static void restore(void) {
  tcsetattr(terminal.fd, TCSANOW, &terminal.settings);
}

/* Whoever had it before us ends the program, or the system does. */
static void pass_on(int number) {
  const struct sigaction *old = &before[index_of(number)];
  if (old->sa_handler != SIG_DFL) {
    if (old->sa_handler != SIG_IGN) old->sa_handler(number);
    return;
  }
  sigaction(number, old, NULL);
  raise(number); /* when the handler returns */
}

static void on_signal(int number) {
  int saved = errno;
  switch (number) {
    case SIGCONT:
    case SIGWINCH: terminal.changed(number); break;
    case SIGTSTP:
      restore();
      raise(SIGSTOP); /* SIGCONT tells when it is over */
      break;
    default: restore(); pass_on(number);
  }
  errno = saved;
}

static void take(int i) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigfillset(&action.sa_mask);
  sigdelset(&action.sa_mask, SIGCONT);
  action.sa_flags = SA_RESTART;
  action.sa_handler = on_signal;
  sigaction(numbers[i], &action, &before[i]);
  if (before[i].sa_handler == SIG_IGN) sigaction(numbers[i], &before[i], NULL);
}

void terminal_open(int fd, void (*changed)(int number)) {
  if (terminal.is_open || tcgetattr(fd, &terminal.settings) != 0) return;
  terminal.is_open = true;
  terminal.fd = fd;
  terminal.changed = changed;
  for (int i = 0; i < COUNT; i++) take(i);
}

void terminal_close(void) {
  if (!terminal.is_open) return;
  terminal.is_open = false;
  restore();
  for (int i = 0; i < COUNT; i++) sigaction(numbers[i], &before[i], NULL);
}

int terminal_columns(int fd) {
  int columns, rows;
  bool is_known = terminal_size(fd, &columns, &rows) == 0 && columns > 0;
  return is_known ? columns : COLUMNS;
}
