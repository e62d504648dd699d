/* options.h - what the command line asks for.
 *
 * It reads like lua's: options, then a script, and all that follows is the
 * script's (but for a --watch right after the script of the command `run`). A
 * command may stand before the script, ours among the options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>

#include "cli/name.h"

enum command {
  COMMAND_RUN,  /* a script, or nothing but the steps */
  COMMAND_TEST, /* what follows is busted's and the runner's */
  COMMAND_NEW,  /* what follows is its own, as for the next one */
  COMMAND_CHECK,
  COMMAND_ABOUT,  /* help about a name */
  COMMAND_RELOAD, /* this and the next two ask programs that run */
  COMMAND_STATUS,
  COMMAND_PS,
  COMMAND_HELP,
  COMMAND_VERSION
};

enum gc_mode { GC_INCREMENTAL, GC_GENERATIONAL, GC_STRESS };

struct step {  /* what comes before the script, in the order given */
  char option; /* 'e', 'l' or 'W' */
  const char *text;
};

struct options {
  char **argv; /* ends with NULL */
  int argc;
  int script; /* its index in argv, or that of another command, or argc */
  enum command command;
  enum gc_mode gc_mode;
  struct step *steps;
  int count; /* of the steps */
  unsigned slow_ms;
  bool slow_given;
  unsigned reload_limit_ms; /* a new version must be ready by then */
  char name[NAME_MOST + 1]; /* of the program; "": it has no script file */
  bool watch;
  bool leaks;
  bool ignores_env;   /* -E */
  bool shows_version; /* before anything runs */
  bool interactive;
  bool from_stdin; /* "-" */
};

/* False: a line on stderr says what is wrong. */
bool options_read(struct options *options, int argc, char **argv);
/* There is a script, a command or something to execute. */
bool options_name_work(const struct options *options);
/* A script that lies in a file is run: what can be watched and reloaded. */
bool options_name_file(const struct options *options);
/* The command asks programs that run, and runs none. */
bool options_ask(const struct options *options);

#endif
