/* terminal.c - raw mode, the way back from it, and how big the window is. */
#include "host/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#include "host/signals.h"

static struct {
  volatile sig_atomic_t is_raw;
  int fd; /* of the terminal: ours, the script may close its own */
  struct termios before;
} terminal;

static int last_error(void) {
  return uv_translate_sys_error(errno);
}

/* Keys come as they are typed, Ctrl-C too. What is written is still a text: a
 * line break also goes back to the first column. */
static struct termios to_raw(struct termios mode) {
  mode.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  mode.c_cflag |= CS8;
  mode.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  return mode;
}

/* (TCSADRAIN would wait, for a terminal that is stopped.) */
static int make_raw(int fd) {
  if (terminal.is_raw) return 0;
  if (tcgetattr(fd, &terminal.before) < 0) return last_error();
  terminal.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (terminal.fd < 0) return last_error();
  struct termios mode = to_raw(terminal.before);
  terminal.is_raw = 1;
  signals_end_on_hang_up();
  if (tcsetattr(fd, TCSANOW, &mode) == 0) return 0;
  int status = last_error();
  terminal_restore();
  return status;
}

int terminal_set_raw(int fd, bool raw) {
  if (!isatty(fd)) return UV_ENOTTY;
  if (raw) return make_raw(fd);
  terminal_restore();
  return 0;
}

void terminal_restore(void) {
  int saved = errno;
  if (!terminal.is_raw) return;
  terminal.is_raw = 0;
  tcsetattr(terminal.fd, TCSANOW, &terminal.before);
  close(terminal.fd);
  errno = saved;
}

int terminal_size(int fd, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) < 0) return last_error();
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}
