/* pieces.c - a piece ends by the clock, and so takes no longer on a slow disk. */
#include "modules/fs/pieces.h"

#include <lauxlib.h>
#include <uv.h>

#include "host/error.h"

enum { PIECE_NS = 20000000 };

bool pieces_run(struct job *job, bool (*step)(void *data), void *data) {
  uint64_t limit = uv_hrtime() + PIECE_NS;
  bool more = true;
  while (more && !job_is_given_up(job) && uv_hrtime() < limit)
    more = step(data);
  bool given_up = more && job_is_given_up(job);
  job->again = more && !given_up ? JOB_MORE : JOB_DONE;
  return !given_up;
}

int pieces_fail(lua_State *L, int status, const char *why) {
  const char *what = lua_tostring(L, -1);
  error_result(L, status, what);
  if (why == NULL) return 3;
  lua_pushfstring(L, "%s: %s", what, why);
  lua_replace(L, -3);
  return 3;
}
