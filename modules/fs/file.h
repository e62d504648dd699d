/* file.h - an open file, and what is done with it.
 *
 * What moves through the file (read, write, seek ...) is done in the order in
 * which it was asked for, as scripts expect of io: an *operation* waits for its
 * turn. Of a file that has no positions, a terminal or a pipe, the two directions
 * are independent, and so have a turn each. What names a position (pread) needs
 * no turn. The descriptor is closed when nothing is done with it any more. */
#ifndef MODULES_FS_FILE_H
#define MODULES_FS_FILE_H

#include <uv.h>

#include "host/handle.h"
#include "host/job.h"
#include "host/stream/inbox.h"

struct operation;

struct turn {
  struct operation *first, **last; /* the first one has begun */
  bool ends;                       /* all are being cancelled: none begins */
};

struct file {
  struct handle handle;
  uv_idle_t uv; /* never started: what libuv closes, see handle.h */
  int fd;
  bool reads, writes, appends;
  bool seeks;         /* it has positions */
  bool awaits;        /* it is a pipe that nobody has been seen to write */
  atomic_bool stale;  /* the inbox may no longer be what the file holds */
  bool removes;       /* its name goes when it is closed */
  bool is_closing;    /* a thread is at it */
  struct inbox inbox; /* read before it was asked for; of who has the turn */
  struct want want;   /* of a read that needs no thread, and where it lies */
  struct result found;
  struct turn turns[2];
  unsigned operations;  /* that use the descriptor, or want to */
  struct task *closers; /* they wait until it is closed */
  int close_status;
  uv_work_t closing;
  char *path;
};

enum { FILE_TURN = 0, FILE_WRITE_TURN = 1, FILE_NO_TURN = -1 };

struct operation {
  struct job job; /* first member; its free is operation_free or calls it */
  struct file *file;
  struct turn *turn;              /* NULL: it needs none */
  struct operation *next, **link; /* those who have it later */
};

struct opened { /* on its way from a thread to a file */
  int fd;       /* -1: there is none, or it is the file's */
  int flags;    /* of open(2) */
  bool removes; /* see above, as are the next two */
  bool seeks, awaits;
  struct origin origin; /* the line that asked for it */
};

/* In a thread: what has been opened. A status; below 0 it is closed again. */
int file_opened(struct opened *opened, int fd);

/* file.c */
void file_open_class(lua_State *L);
/* Pushes a file with that descriptor, which it takes over; before that it may
 * raise. */
void file_push(lua_State *L, struct opened *opened, const char *path);
struct file *file_check(lua_State *L); /* argument 1, not closed */
void file_close_if_idle(struct file *file);
/* nil, "read conf.lua: input/output error", "EIO" */
int file_error(lua_State *L, const struct file *file, int status,
               const char *what);

/* operation.c */
/* Pushes its box. */
void *operation_push(lua_State *L, struct file *file,
                     const struct job_kind *kind, size_t size);
void operation_free(
  struct job *job); /* for a struct job_kind, as is the next */
void operation_done(struct job *job);
/* As job_start; `turn` is one of the three above. */
int operation_fail(lua_State *L, struct operation *operation, int callback,
                   int status);
int operation_start(lua_State *L, struct operation *operation, int turn,
                    int callback, int64_t limit_ms);
/* All that have a turn, or wait for one, end with UV_ECANCELED. */
void operation_cancel_all(struct file *file);
bool operation_is_free(const struct file *file, int turn); /* nobody has it */

/* In a thread: the position is where the script believes it is. */
int file_drop_inbox(struct file *file);

/* Methods: file_read.c, file_write.c, file_at.c, file_stat.c */
int file_read(lua_State *L);
int file_lines(lua_State *L);
int file_chunks(lua_State *L);
int file_write(lua_State *L);
int file_seek(lua_State *L);
int file_sync(lua_State *L);
int file_truncate(lua_State *L);
int file_pread(lua_State *L);
int file_pwrite(lua_State *L);
int file_stat(lua_State *L);

#endif
