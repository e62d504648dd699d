/* libedit.h - the library that edits lines, loaded when it is first needed: a
 * script that has no use for it does not pay for it at each start. */
#ifndef CLI_REPL_LIBEDIT_H
#define CLI_REPL_LIBEDIT_H

#include <histedit.h>
#include <stdio.h>

struct libedit { /* functions of histedit.h, without their el_ */
  EditLine *(*init)(const char *, FILE *, FILE *, FILE *);
  void (*end)(EditLine *);
  const char *(*gets)(EditLine *, int *);
  int (*set)(EditLine *, int, ...);
  int (*wset)(EditLine *, int, ...);
  int (*source)(EditLine *, const char *);
  void (*resize)(EditLine *);
  const LineInfo *(*line)(EditLine *);
  const LineInfoW *(*wline)(EditLine *);
  int (*insertstr)(EditLine *, const char *);
  int (*history)(History *, HistEvent *, int, ...);
  History *(*history_init)(void);
  void (*history_end)(History *);
};

/* NULL: it is not installed; then *why says so. */
const struct libedit *libedit_load(const char **why);

#endif
