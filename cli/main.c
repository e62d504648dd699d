/* main.c - the way in: the command line, then one host until it ends. */
#include <fcntl.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/help.h"
#include "cli/options.h"
#include "cli/program.h"
#include "host/host.h"
#include "host/loop.h"
#include "host/output.h"
#include "host/signals.h"
#include "host/watchdog.h"
#include "modules/modules.h"

enum { EXIT_USAGE = 2, EXIT_SOFTWARE = 70 }; /* 70: as in sysexits.h */

/* glibc gives the top of the heap back to the system at each large free: a page
 * fault per 16 KB string (measured: 1 us of 9 per echo). It keeps some. Saying
 * so makes it forget to learn from what is freed which blocks deserve a mapping
 * of their own: so that is said as well (a string of 1 MB: 50 us, not 630). */
static void tune_memory(void) {
#ifdef __GLIBC__
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

/* Where one of them was closed, the next thing to be opened would take its
 * number: what a script prints would go into somebody's connection. */
static void keep_standard_files(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
}

/* `stress` is for tests: a pause of nothing, so that a cycle follows the other,
 * and steps so small that some of it is done at nearly every allocation. */
static void set_gc_mode(lua_State *L, enum gc_mode mode) {
  if (mode == GC_GENERATIONAL) lua_gc(L, LUA_GCGEN, 0, 0);
  if (mode == GC_STRESS) lua_gc(L, LUA_GCINC, 1, 1000, 1);
}

/* Specs may block on purpose, and our own commands hold up nobody: they are
 * watched only if somebody asks. */
static int open_watchdog(struct host *host, const struct options *options) {
  unsigned limit = options->slow_ms;
  if (options->command != COMMAND_RUN && !options->slow_given) limit = 0;
  return limit > 0 ? watchdog_open(host, limit) : 0;
}

static int run(struct host *host, const struct options *options) {
  set_gc_mode(host->L, options->gc_mode);
  host->reports_leaks = options->leaks;
  int status = signals_open(host);
  if (status == 0) status = open_watchdog(host, options);
  if (status == 0) status = program_start(host, options);
  if (status < 0) {
    fprintf(stderr, "neap: cannot start: %s\n", uv_strerror(status));
    return EXIT_SOFTWARE;
  }
  loop_run(host);
  return host_exit_code(host);
}

/* Without what exit() would do: libuv joins its threads there, and one of them
 * may not come back for long. */
static void end_at_once(int code) {
  code = output_close(code);
  fflush(NULL);
  _exit(code);
}

static int run_host(const struct options *options) {
  struct host *host = malloc(sizeof *host);
  int status = host == NULL ? UV_ENOMEM : host_open(host, modules_open);
  if (status < 0) {
    fprintf(stderr, "neap: cannot start: %s\n", uv_strerror(status));
    free(host);
    return EXIT_SOFTWARE;
  }
  output_attach(host);
  int code = run(host, options);
  if (!host_close(host)) end_at_once(code);
  free(host);
  return code;
}

int main(int argc, char **argv) {
  struct options options;
  argv = uv_setup_args(argc, argv); /* a copy: process.title writes there */
  int code = EXIT_SUCCESS;
  if (!options_read(&options, argc, argv)) {
    code = EXIT_USAGE;
  } else if (options.command == COMMAND_HELP) {
    help_print();
  } else if (options.command == COMMAND_VERSION) {
    help_print_version();
  } else {
    tune_memory();
    keep_standard_files();
    output_open();
    if (options.shows_version) help_print_version();
    code = output_close(run_host(&options));
  }
  free(options.steps);
  return code;
}
