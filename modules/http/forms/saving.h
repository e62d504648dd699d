/* saving.h - an open file without a name gets one, whole or not at all: for
 * threads of the pool. No Lua, no loop; statuses are libuv's. */
#ifndef HTTP_FORMS_SAVING_H
#define HTTP_FORMS_SAVING_H

#include <stdbool.h>
#include <sys/types.h>

struct saving {
  int from;         /* stays open */
  const char *path; /* stays, too */
  bool overwrite;
  bool links; /* `from` has never had a name: it may get this one */
  int status;
  /* ---- its own ---- */
  bool begun, by_hand;
  bool linked;  /* it has got it: what is written there later is in both */
  int to;       /* the copy, where one is needed */
  char *beside; /* the name of what will be renamed; malloc, or NULL */
  off_t at;
};

/* A new file that is open for both, has no name, and goes when it is closed.
 * `*links`: it can be given one. */
int saving_open_nameless(const char *directory, bool *links);

/* True: there is more to do. At the end `status` says how it was. */
bool saving_step(struct saving *saving);
void saving_drop(struct saving *saving); /* it never was; idempotent */

#endif
