/* coder.h - a codec, what limits it, and who is at it: what an encoder or a
 * decoder of a script stands for, and what a call that does all at once uses. */
#ifndef MODULES_COMPRESS_CODER_H
#define MODULES_COMPRESS_CODER_H

#include <lua.h>

#include "host/codec/codec.h"

struct run;

struct coder {
  struct codec *codec; /* NULL: it has ended, or failed */
  struct run *run;     /* a thread is at it, or NULL */
  const char *why;     /* it has failed, or NULL */
  size_t limit;        /* of what is still to come of it, or of one call */
  size_t whole_limit;
  int users; /* the box, each call */
  int status;
  enum coding coding;
  bool encodes;
  bool per_call; /* the limit is for each call */
};

/* NULL without memory. */
struct coder *coder_new(enum coding coding);
void coder_leave(struct coder *coder);
/* Frees what it needs for more: nothing, where a thread is at it. */
void coder_end(struct coder *coder);
void coder_fail(struct coder *coder, int status, const char *why);
/* nil, message, code. */
int coder_push_failure(lua_State *L, const struct coder *coder);

/* Ends the C function, as job_start: data (a string), something, nil or the
 * callback are what is there from index `first` on, and nothing above. A coder
 * that has failed fails again. */
int coder_start(lua_State *L, struct coder *coder, enum codec_step step,
                int first);
/* Somebody waits for what a thread does with it. */
bool coder_is_busy(const struct coder *coder);
/* On the loop: who waits for a thread gets ECANCELED. */
void coder_cancel(struct coder *coder);

#endif
