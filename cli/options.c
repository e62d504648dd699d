/* options.c - reads the command line, and the one variable that is ours. */
#include "cli/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/suggest.h"

enum { SLOW_MS = 50, SLOWEST_S = 3600 };

struct reader {
  struct options *options;
  int at; /* in argv: the option that is read */
};

static const char *argument(const struct reader *reader) {
  return reader->options->argv[reader->at];
}

/* ---- values -------------------------------------------------------------- */

static bool needs_argument(const char *option) {
  fprintf(stderr, "neap: '%s' needs an argument, see neap --help\n", option);
  return false;
}

/* As lua: "-estat" or "-e stat", which may not look like an option. */
static bool read_step(struct reader *reader) {
  struct options *options = reader->options;
  const char *option = argument(reader);
  const char *text = option + 2;
  if (option[1] != 'W' && *text == '\0') {
    text = options->argv[++reader->at];
    if (text == NULL || text[0] == '-') return needs_argument(option);
  }
  options->steps[options->count++] = (struct step){option[1], text};
  return true;
}

/* "--slow 0.1" or "--slow=0.1" */
static bool read_slow(struct reader *reader) {
  struct options *options = reader->options;
  const char *option = argument(reader);
  const char *text = strchr(option, '=');
  char *end;
  text = text != NULL ? text + 1 : options->argv[++reader->at];
  if (text == NULL) return needs_argument(option);
  double seconds = strtod(text, &end);
  if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= SLOWEST_S)) {
    fprintf(stderr, "neap: --slow needs seconds (0: never), not '%s'\n", text);
    return false;
  }
  options->slow_ms = (unsigned)ceil(seconds * 1000);
  options->slow_given = true;
  return true;
}

static bool read_gc_mode(struct options *options) {
  static const char *const names[] = {"incremental", "generational", "stress"};
  const char *value = getenv("NEAP_GC");
  if (value == NULL || *value == '\0') return true;
  for (int mode = GC_INCREMENTAL; mode <= GC_STRESS; mode++) {
    if (strcmp(value, names[mode]) != 0) continue;
    options->gc_mode = (enum gc_mode)mode;
    return true;
  }
  fprintf(stderr,
          "neap: NEAP_GC is incremental, generational or stress, not "
          "'%s'\n",
          value);
  return false;
}

/* ---- options ------------------------------------------------------------- */

static bool unknown(const char *option) {
  static const char *const names[] = {"--help", "--version", "--slow",
                                      "--leaks", NULL};
  const char *near = suggest(option, names);
  fprintf(stderr, "neap: unknown option '%s'", option);
  if (near != NULL) fprintf(stderr, ": did you mean %s?", near);
  fprintf(stderr, near != NULL ? "\n" : ", see neap --help\n");
  return false;
}

static bool is(const char *option, const char *name) {
  return strcmp(option, name) == 0;
}

static bool read_option(struct reader *reader) {
  struct options *options = reader->options;
  const char *option = argument(reader);
  if (is(option, "--slow") || strncmp(option, "--slow=", 7) == 0)
    return read_slow(reader);
  if (option[1] == 'e' || option[1] == 'l' || is(option, "-W"))
    return read_step(reader);
  if (is(option, "-h") || is(option, "--help"))
    options->command = COMMAND_HELP;
  else if (is(option, "--version"))
    options->command = COMMAND_VERSION;
  else if (is(option, "--leaks"))
    options->leaks = true;
  else if (is(option, "-E"))
    options->ignores_env = true;
  else if (is(option, "-v"))
    options->shows_version = true;
  else if (is(option, "-i"))
    options->shows_version = options->interactive = true;
  else
    return unknown(option);
  return true;
}

/* ---- what is to be run --------------------------------------------------- */

static const char *const commands[] = {"run", "test", "help", NULL};

/* No file of that name, and it looks like a command: "neap tset". */
static bool is_no_command(const char *name) {
  const char *letters = "abcdefghijklmnopqrstuvwxyz";
  if (name[strspn(name, letters)] != '\0' || access(name, F_OK) == 0)
    return false;
  const char *near = suggest(name, commands);
  fprintf(stderr, "neap: no file '%s' here, and no such command", name);
  if (near != NULL) fprintf(stderr, ": did you mean 'neap %s'?", near);
  fprintf(stderr, near != NULL ? "\n" : ", see neap --help\n");
  return true;
}

static bool read_options(struct reader *reader) {
  struct options *options = reader->options;
  for (; reader->at < options->argc; reader->at++) {
    const char *option = argument(reader);
    if (option[0] != '-') return true;
    options->from_stdin = is(option, "-");
    if (options->from_stdin) return true;
    if (is(option, "--")) {
      reader->at++;
      return true;
    }
    if (!read_option(reader)) return false;
    if (options->command != COMMAND_RUN) return true;
  }
  return true;
}

/* What stands here is a script, even when it is called "test". */
static bool read_script(struct reader *reader) {
  struct options *options = reader->options;
  if (!read_options(reader)) return false;
  options->script = reader->at;
  if (options->command != COMMAND_RUN || options_name_work(options))
    return true;
  fprintf(stderr, "neap: run which script? see neap --help\n");
  return false;
}

static bool read_command(struct reader *reader) {
  struct options *options = reader->options;
  if (!read_options(reader)) return false;
  options->script = reader->at;
  if (reader->at == options->argc || options->from_stdin) return true;
  if (is(options->argv[reader->at - 1], "--")) return true;
  const char *name = argument(reader);
  if (is(name, "help")) {
    options->command = COMMAND_HELP;
  } else if (is(name, "test")) {
    options->command = COMMAND_TEST;
  } else if (is(name, "run")) {
    reader->at++;
    return read_script(reader);
  } else {
    return !is_no_command(name);
  }
  return true;
}

bool options_read(struct options *options, int argc, char **argv) {
  struct reader reader = {options, 1};
  *options = (struct options){.argv = argv, .argc = argc, .slow_ms = SLOW_MS};
  options->steps = calloc((size_t)argc + 1, sizeof *options->steps);
  if (options->steps == NULL) return false;
  return read_gc_mode(options) && read_command(&reader);
}

bool options_name_work(const struct options *options) {
  if (options->script < options->argc || options->shows_version) return true;
  for (int i = 0; i < options->count; i++)
    if (options->steps[i].option == 'e') return true;
  return false;
}
