/* launch.h - starts a program, clean of all that is ours.
 *
 * It gets three files and no other descriptor of ours, whoever opened it and
 * however; no signal is blocked or ignored; and, unless it shares our terminal,
 * it has a session of its own: so what is typed at our terminal reaches us and
 * not it, and it and what it starts can be signalled as one group.
 *
 * By posix_spawn: its cost does not grow with our memory, as that of a fork
 * does, and it says at once why a program cannot be run. */
#ifndef HOST_LAUNCH_H
#define HOST_LAUNCH_H

#include <stdbool.h>

enum { LAUNCH_NULL = -1 }; /* /dev/null, for launch.files */

struct launch {
  char **argv;     /* ends with NULL, and is not empty */
  char **env;      /* ends with NULL */
  const char *cwd; /* NULL: ours */
  int files[3];    /* what its standard files are */
  bool shares;     /* our terminal: it stays in our session and group */
};

/* Its pid, or one of libuv's errors. */
int launch(const struct launch *launch);
/* Why it cannot begin in that directory, or 0: of libuv's errors. */
int launch_check_cwd(const char *cwd);

#endif
