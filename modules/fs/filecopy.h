/* filecopy.h - copies one file, in pieces. In a thread: no Lua, no host.
 *
 * It grows under a name of its own beside the target, and takes the target's
 * name when it is whole: so the target is what it was, or all of the copy. */
#ifndef MODULES_FS_FILECOPY_H
#define MODULES_FS_FILECOPY_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct filecopy { /* zero: there is none */
  int from, to, directory;
  const char *name; /* of the target, in there; may be a path */
  char *beside;     /* of the copy, until it is whole; malloc; NULL: no copy */
  struct stat info; /* of the source */
  off_t at;
  bool overwrite;
  bool by_hand; /* the system cannot do it */
  bool sparse;  /* there are holes in it */
};

/* `from` is a file that is open for reading, and closed in any case. The names
 * stay until the end. */
int filecopy_begin(struct filecopy *copy, int from, int directory,
                   const char *name, bool overwrite);
/* True: there is more. At the end it is in its place, or `status` says why not. */
bool filecopy_step(struct filecopy *copy, int *status);
void filecopy_drop(struct filecopy *copy); /* it never was; idempotent */

/* Characters that nobody else has drawn: for names that are new. */
enum { UNIQUE_SIZE = 12 };
int unique_name(char *name); /* UNIQUE_SIZE characters, and a zero */

#endif
