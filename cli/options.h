/* options.h - what the command line asks for.
 *
 * It reads like lua's: options, then a script, and all that follows is the
 * script's. A command may stand before the script, ours among the options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>

enum command {
  COMMAND_RUN,  /* a script, or nothing but the steps */
  COMMAND_TEST, /* what follows is busted's */
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
  int script; /* its index in argv, or that of the command `test`, or argc */
  enum command command;
  enum gc_mode gc_mode;
  struct step *steps;
  int count; /* of the steps */
  unsigned slow_ms;
  bool slow_given;
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

#endif
