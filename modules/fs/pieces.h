/* pieces.h - work on trees, done in pieces of some milliseconds: between two of
 * them others have their turn in the thread pool. See job->again. */
#ifndef MODULES_FS_PIECES_H
#define MODULES_FS_PIECES_H

#include "host/job.h"

/* Calls `step` until it is done, given up, or the piece is long enough: false
 * says that it was given up. A step is short. */
bool pieces_run(struct job *job, bool (*step)(void *data), void *data);
/* Pushes nil, the message and the code: `what` is on top of L, and `why` says
 * more than the status can, or is NULL. */
int pieces_fail(lua_State *L, int status, const char *why);

#endif
