/* output.c - C's stdout and stderr, with a queue behind each. */
#include "host/output.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#if defined(__GLIBC__) || defined(__sun)
#include <stdio_ext.h>
#endif

#include "host/host.h"
#include "host/loop.h"
#include "host/signals.h"
#include "host/sink.h"
#include "host/wait.h"

enum { EXIT_PIPE = 128 + SIGPIPE, BUFFER = 65536 };

static struct {
  struct output both[2];
  struct sink sinks[2];
  struct host *host; /* whose loop waits, or NULL */
  pthread_t thread;
  bool looked; /* in this turn, whether they are where they were */
  int failed;  /* the first error that nobody was told of, or 0 */
  bool has_blocked;
  output_watch *watch;
  bool lost; /* printed to a pipe that nobody reads any more */
  char buffer[BUFFER];
} state = {.both = {{.fd = STDOUT_FILENO, .name = "stdout"},
                    {.fd = STDERR_FILENO, .name = "stderr"}}};

struct output *output_of(int fd) {
  return &state.both[fd - STDOUT_FILENO];
}

/* ---- a reader that has left ---------------------------------------------- */

/* As everywhere this ends whoever prints to it, but in good order. (stderr may
 * be closed: who runs for long need not end for its log.) */
static void end_program(void) {
  if (state.lost) return;
  state.lost = true;
  if (state.host == NULL) return;
  loop_stop(state.host, EXIT_PIPE);
  signals_end_running(state.host);
}

/* Something was printed that has not gone out, and nobody has been told. */
static void check_printed(const struct sink *sink) {
  if (sink->broken == 0 || sink->careless == 0) return;
  if (sink != state.both[0].sink) return;
  if (sink->broken == UV_EPIPE)
    end_program();
  else if (state.failed == 0)
    state.failed = sink->broken;
}

static void on_moved(struct sink *sink) {
  for (int i = 0; i < 2; i++) {
    struct output *output = &state.both[i];
    if (output->sink != sink) continue;
    if (sink->broken != 0 || sink->size <= OUTPUT_HIGH / 2)
      wait_wake_all(output->writers, 0);
    if (sink->size == 0) wait_wake_all(output->flushers, 0);
  }
  check_printed(sink);
}

/* ---- where the two go ---------------------------------------------------- */

/* To the same file there is one queue, or their order would be lost. */
static void open_sinks(void) {
  for (int i = 0; i < 2; i++) {
    sink_open(&state.sinks[i], state.both[i].fd);
    state.sinks[i].loop = state.host != NULL ? &state.host->loop : NULL;
    state.sinks[i].moved = on_moved;
    state.both[i].sink = &state.sinks[i];
  }
  const struct sink *out = &state.sinks[0], *err = &state.sinks[1];
  if (out->kind != SINK_FILE && out->device == err->device &&
      out->inode == err->inode)
    state.both[1].sink = &state.sinks[0];
}

void output_settle(void) {
  for (int i = 0; i < 2; i++) {
    if (state.sinks[i].size > 0) state.has_blocked = true;
    sink_wait(&state.sinks[i], 0);
    check_printed(&state.sinks[i]);
  }
}

void output_look_again(void) {
  state.looked = false;
}

static bool is_in_place(const struct output *output) {
  struct sink now;
  if (sink_is_at(output->sink, output->fd)) return true;
  sink_open(&now, output->fd);
  return output->sink->device == now.device &&
         output->sink->inode == now.inode; /* it has been closed */
}

/* Somebody may have put something else there with dup2. */
static void look(void) {
  state.looked = true;
  if (is_in_place(&state.both[0]) && is_in_place(&state.both[1])) return;
  output_settle();
  for (int i = 0; i < 2; i++) sink_close(&state.sinks[i]);
  open_sinks();
}

/* ---- into the queue ------------------------------------------------------ */

static int put(struct output *output, const char *bytes, size_t size,
               bool careless) {
  if (!state.looked) look();
  struct sink *sink = output->sink;
  if (state.watch != NULL && sink->kind == SINK_TERMINAL && size > 0)
    state.watch(bytes, size);
  int status = sink_put(sink, bytes, size, careless);
  if (status == 0 && sink->size > OUTPUT_MOST) {
    state.has_blocked = true;
    status = sink_wait(sink, OUTPUT_MOST);
  }
  return status;
}

int output_put(struct output *output, const char *bytes, size_t size) {
  int status = output_flush(output);
  return status == 0 ? put(output, bytes, size, false) : status;
}

size_t output_pending(const struct output *output) {
  size_t size = output->sink->size;
#ifdef __GLIBC__
  size += __fpending(output->fd == STDOUT_FILENO ? stdout : stderr);
#endif
  return size;
}

int output_status(const struct output *output) {
  return output->sink->broken;
}

void output_hold(struct output *output) {
  sink_hold(output->sink);
}

void output_set_watch(output_watch *watch) {
  state.watch = watch;
}

bool output_has_blocked(void) {
  bool blocked = state.has_blocked;
  state.has_blocked = false;
  return blocked;
}

/* ---- FILEs of our own ---------------------------------------------------- */

#if defined(__GLIBC__) || defined(__APPLE__) || defined(__FreeBSD__)

/* A thread may print, but the queue is the loop's. */
static ssize_t write_all(int fd, const char *bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t count = write(fd, bytes + done, size - done);
    if (count < 0 && errno != EINTR) return -1;
    if (count > 0) done += (size_t)count;
  }
  return (ssize_t)size;
}

/* -1 with errno. */
static ssize_t on_write(struct output *output, const char *bytes, size_t size) {
  if (!pthread_equal(pthread_self(), state.thread))
    return write_all(output->fd, bytes, size);
  int status = put(output, bytes, size, true);
  if (status == 0) return (ssize_t)size;
  if (output->fd == STDOUT_FILENO) state.failed = status;
  if (status == UV_EPIPE && output->fd == STDOUT_FILENO) end_program();
  errno = -status; /* on every Unix it is that */
  return -1;
}

#endif

#if defined(__GLIBC__)

static ssize_t cookie_write(void *cookie, const char *bytes, size_t size) {
  ssize_t count = on_write(cookie, bytes, size);
  return count < 0 ? 0 : count;
}

static int cookie_seek(void *cookie, off64_t *at, int from) {
  (void)cookie, (void)at, (void)from;
  errno = ESPIPE;
  return -1;
}

/* A file of ours has no number, but C modules ask for that of stdout: is it a
 * terminal? And freopen puts the new file there. glibc has no call that sets
 * it, but the field is part of its binary interface; nothing but fileno and
 * freopen looks at it, what is written and closed goes through the functions. */
static FILE *make_file(struct output *output) {
  cookie_io_functions_t functions = {.write = cookie_write,
                                     .seek = cookie_seek};
  FILE *file = fopencookie(output, "w", functions);
  if (file != NULL) file->_fileno = output->fd;
  return file;
}

#elif defined(__APPLE__) || defined(__FreeBSD__)

static int cookie_write(void *cookie, const char *bytes, int size) {
  return (int)on_write(cookie, bytes, (size_t)size);
}

static FILE *make_file(struct output *output) {
  return fwopen(output, cookie_write);
}

#else /* what is printed may block, neap.stdout:write does not */

static FILE *make_file(struct output *output) {
  (void)output;
  return NULL;
}

#endif

#if defined(__GLIBC__) || defined(__APPLE__) || defined(__FreeBSD__)
#define SET_FILE(name, file) ((name) = (file))
#else
#define SET_FILE(name, file) ((void)(file))
#endif

static void replace(struct output *output) {
  bool is_terminal = output->sink->kind == SINK_TERMINAL;
  if (output->sink->kind == SINK_FILE) return;
  FILE *file = make_file(output);
  if (file == NULL) return;
  if (output->fd == STDERR_FILENO) {
    setvbuf(file, NULL, _IONBF, 0);
    SET_FILE(stderr, file);
  } else {
    setvbuf(file, state.buffer, is_terminal ? _IOLBF : _IOFBF, BUFFER);
    SET_FILE(stdout, file);
  }
}

/* ---- C's buffers --------------------------------------------------------- */

int output_flush(struct output *output) {
  FILE *file = output->fd == STDOUT_FILENO ? stdout : stderr;
  return fflush(file) == 0 ? 0 : uv_translate_sys_error(errno);
}

void output_flush_buffers(void) {
  state.looked = false;
#ifdef __GLIBC__
  if (__fpending(stdout) == 0) return;
#endif
  int status = output_flush(&state.both[0]);
  if (state.failed == 0) state.failed = status;
}

/* ---- the life of both ---------------------------------------------------- */

void output_open(void) {
  state.thread = pthread_self();
  open_sinks();
  for (int i = 0; i < 2; i++) replace(&state.both[i]);
}

void output_attach(struct host *host) {
  state.host = host;
  for (int i = 0; i < 2; i++) state.sinks[i].loop = &host->loop;
}

void output_detach(struct host *host) {
  if (state.host != host) return;
  state.host = NULL;
  for (int i = 0; i < 2; i++) sink_leave_loop(&state.sinks[i]);
}

/* A failed print has gone unnoticed, unless it is told now. */
static int tell(int code, int status) {
  if (state.lost) return code;
  fprintf(stderr, "neap: write stdout: %s\n", uv_strerror(status));
  return code == 0 ? 1 : code;
}

int output_close(int code) {
  int status = output_flush(&state.both[0]);
  if (status == 0) status = state.failed;
  if (status == 0 && ferror(stdout)) status = UV_EIO;
  if (status == 0) status = sink_wait(state.both[0].sink, 0);
  if (status == UV_EPIPE) state.lost = true;
  if (status != 0) code = tell(code, status);
  sink_wait(state.both[1].sink, 0);
  if (!state.lost) return code;
  signal(SIGPIPE, SIG_DFL);
  raise(SIGPIPE);
  return EXIT_PIPE; /* where it is blocked */
}
