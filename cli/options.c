/* options.c - reads the command line, and the one variable that is ours. */
#include "cli/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/suggest.h"

enum { SLOW_MS = 50, RELOAD_LIMIT_MS = 10000, LONGEST_S = 3600 };

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

static bool is(const char *option, const char *name) {
  return strcmp(option, name) == 0;
}

/* "--slow" or "--slow=0.1" */
static bool is_long(const char *option, const char *name) {
  size_t size = strlen(name);
  return strncmp(option, name, size) == 0 &&
         (option[size] == '\0' || option[size] == '=');
}

/* Of "--slow 0.1" or "--slow=0.1"; NULL: there is none, which has been said. */
static const char *read_value(struct reader *reader) {
  const char *option = argument(reader);
  const char *equals = strchr(option, '=');
  if (equals != NULL) return equals + 1;
  const char *text = reader->options->argv[++reader->at];
  if (text == NULL) needs_argument(option);
  return text;
}

static bool to_ms(const char *text, unsigned *ms) {
  char *end;
  double seconds = strtod(text, &end);
  if (end == text || *end != '\0') return false;
  if (!(seconds >= 0 && seconds <= LONGEST_S)) return false;
  *ms = (unsigned)ceil(seconds * 1000);
  return true;
}

static bool read_slow(struct reader *reader) {
  struct options *options = reader->options;
  const char *text = read_value(reader);
  if (text == NULL) return false;
  options->slow_given = true;
  if (to_ms(text, &options->slow_ms)) return true;
  fprintf(stderr, "neap: --slow needs seconds (0: never), not '%s'\n", text);
  return false;
}

static bool read_reload_limit(struct reader *reader) {
  struct options *options = reader->options;
  const char *text = read_value(reader);
  if (text == NULL) return false;
  if (to_ms(text, &options->reload_limit_ms) && options->reload_limit_ms > 0)
    return true;
  fprintf(stderr, "neap: --reload-limit needs seconds, not '%s'\n", text);
  return false;
}

static bool is_name(const char *what, const char *name) {
  const char *problem = name_problem(name);
  if (problem != NULL)
    fprintf(stderr, "neap: %s '%s' %s\n", what, name, problem);
  return problem == NULL;
}

static bool read_name(struct reader *reader) {
  const char *name = read_value(reader);
  if (name == NULL || !is_name("the name", name)) return false;
  strcpy(reader->options->name, name);
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
  static const char *const names[] = {"--help",         "--leaks", "--name",
                                      "--reload-limit", "--slow",  "--version",
                                      "--watch",        NULL};
  const char *near = suggest(option, names);
  fprintf(stderr, "neap: unknown option '%s'", option);
  if (near != NULL) fprintf(stderr, ": did you mean %s?", near);
  fprintf(stderr, near != NULL ? "\n" : ", see neap --help\n");
  return false;
}

static bool read_option(struct reader *reader) {
  struct options *options = reader->options;
  const char *option = argument(reader);
  if (is_long(option, "--slow")) return read_slow(reader);
  if (is_long(option, "--reload-limit")) return read_reload_limit(reader);
  if (is_long(option, "--name")) return read_name(reader);
  if (option[1] == 'e' || option[1] == 'l' || is(option, "-W"))
    return read_step(reader);
  if (is(option, "-h") || is(option, "--help"))
    options->command = COMMAND_HELP;
  else if (is(option, "--version"))
    options->command = COMMAND_VERSION;
  else if (is(option, "--leaks"))
    options->leaks = true;
  else if (is(option, "--watch"))
    options->watch = true;
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

static const char *const commands[] = {"run",  "test",   "new",    "check",
                                       "repl", "reload", "status", "ps",
                                       "help", NULL};

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

/* The script shall not see it: what follows moves down, with the NULL. */
static void take_watch(struct options *options) {
  char **next = options->argv + options->script + 1;
  if (options->script + 1 >= options->argc || !is(*next, "--watch")) return;
  options->watch = true;
  options->argc--;
  memmove(next, next + 1,
          (size_t)(options->argc - options->script) * sizeof *next);
}

/* What stands here is a script, even when it is called "test". */
static bool read_script(struct reader *reader) {
  struct options *options = reader->options;
  if (!read_options(reader)) return false;
  options->script = reader->at;
  if (options->command == COMMAND_RUN) take_watch(options);
  if (options->command != COMMAND_RUN || options_name_work(options))
    return true;
  fprintf(stderr, "neap: run which script? see neap --help\n");
  return false;
}

/* As -i. Options may follow, and a script. */
static bool read_repl(struct reader *reader) {
  struct options *options = reader->options;
  options->shows_version = options->interactive = true;
  bool good = read_options(reader);
  options->script = reader->at;
  return good;
}

static bool is_pid(const char *text) {
  return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static bool is_target(const char *command, const char *target) {
  if (target != NULL) return is_pid(target) || is_name("the name", target);
  fprintf(stderr,
          "neap: %s which program? say its PID or its name, neap ps lists "
          "them\n",
          command);
  return false;
}

static bool is_end(const char *command, const char *takes, const char *rest) {
  if (rest == NULL) return true;
  fprintf(stderr, "neap: %s takes %s, and here is '%s'\n", command, takes,
          rest);
  return false;
}

/* "reload PID|NAME", "status PID|NAME", "ps" */
static bool read_question(struct reader *reader, enum command command) {
  const char *name = argument(reader);
  char **rest = reader->options->argv + reader->at + 1;
  bool helps = *rest != NULL && (is(*rest, "-h") || is(*rest, "--help"));
  reader->options->command = helps ? COMMAND_HELP : command;
  if (helps) return true;
  if (command == COMMAND_PS) return is_end(name, "no argument", *rest);
  return is_target(name, *rest) && is_end(name, "one PID or name", rest[1]);
}

static bool read_command(struct reader *reader) {
  struct options *options = reader->options;
  if (!read_options(reader)) return false;
  options->script = reader->at;
  if (options->command != COMMAND_RUN) return true;
  if (reader->at == options->argc || options->from_stdin) return true;
  if (is(options->argv[reader->at - 1], "--")) return true;
  const char *name = argument(reader);
  if (is(name, "reload")) return read_question(reader, COMMAND_RELOAD);
  if (is(name, "status")) return read_question(reader, COMMAND_STATUS);
  if (is(name, "ps")) return read_question(reader, COMMAND_PS);
  if (is(name, "help")) {
    bool is_about = reader->at + 1 < options->argc;
    options->command = is_about ? COMMAND_ABOUT : COMMAND_HELP;
  } else if (is(name, "test")) {
    options->command = COMMAND_TEST;
  } else if (is(name, "new")) {
    options->command = COMMAND_NEW;
  } else if (is(name, "check")) {
    options->command = COMMAND_CHECK;
  } else if (is(name, "run")) {
    reader->at++;
    return read_script(reader);
  } else if (is(name, "repl")) {
    reader->at++;
    return read_repl(reader);
  } else {
    return !is_no_command(name);
  }
  return true;
}

/* What can only be known at the end. */
static bool complete(struct options *options) {
  bool helps =
    options->command == COMMAND_HELP || options->command == COMMAND_VERSION;
  bool has_file = options_name_file(options);
  if (has_file && options->name[0] == '\0')
    name_of_script(options->argv[options->script], options->name);
  if (!options->watch || helps || (has_file && !options->interactive))
    return true;
  fprintf(stderr, "neap: --watch needs a script in a file%s\n",
          options->interactive ? ", and no -i" : "");
  return false;
}

bool options_read(struct options *options, int argc, char **argv) {
  struct reader reader = {options, 1};
  *options = (struct options){.argv = argv,
                              .argc = argc,
                              .slow_ms = SLOW_MS,
                              .reload_limit_ms = RELOAD_LIMIT_MS};
  options->steps = calloc((size_t)argc + 1, sizeof *options->steps);
  if (options->steps == NULL) return false;
  return read_gc_mode(options) && read_command(&reader) && complete(options);
}

bool options_name_file(const struct options *options) {
  return options->command == COMMAND_RUN && !options->from_stdin &&
         options->script < options->argc;
}

bool options_ask(const struct options *options) {
  return options->command == COMMAND_RELOAD ||
         options->command == COMMAND_STATUS || options->command == COMMAND_PS;
}

bool options_name_work(const struct options *options) {
  if (options->script < options->argc || options->shows_version) return true;
  for (int i = 0; i < options->count; i++)
    if (options->steps[i].option == 'e') return true;
  return false;
}
