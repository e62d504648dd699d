/* output.h - standard output and standard error, which never hold the loop.
 *
 * What print, io.write, reports and C modules write goes through C's `stdout`
 * and `stderr`, with their buffers. Where one of them is a pipe, a terminal or a
 * socket, these are files of ours: what the reader does not take at once waits in
 * a queue (see sink.h) while the loop goes on. Nothing is lost: the end of the
 * program waits until all of it is out. Who can wait does so when much is
 * queued; for who cannot there is a limit, beyond which the write blocks. Order
 * is kept, between the two as well where they are the same file.
 *
 * They belong to the process. A host lends them its loop. */
#ifndef HOST_OUTPUT_H
#define HOST_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct host;
struct sink;
struct task;

enum {
  OUTPUT_HIGH = 65536,   /* a write waits above it, until half is left */
  OUTPUT_MOST = 16 << 20 /* and beyond this everything blocks */
};

struct output {
  int fd;
  const char *name;
  struct sink *sink;     /* may be that of the other */
  struct task *writers;  /* writes that wait until less is queued */
  struct task *flushers; /* those who wait until nothing is */
};

/* Once, before there is a Lua state: it keeps the FILEs it finds. */
void output_open(void);
/* Blocks until everything is out. The code to end with: where that fails it is
 * told, and 1 instead of 0. A closed pipe ends the process, as it would others. */
int output_close(int code);

void output_attach(struct host *host);
void output_detach(struct host *host);
/* What has been printed goes on its way: the program is about to wait. */
void output_flush_buffers(void);
/* Blocks until what is queued is out: a child is to write to the same. */
void output_settle(void);
/* Somebody has put something else there: it is seen now, and not only in the
 * next turn. */
void output_look_again(void);
/* Who draws on the terminal is told before anything else is written to it, and
 * what. NULL: nobody. */
typedef void output_watch(const char *bytes, size_t size);
void output_set_watch(output_watch *watch);
/* A write to it had to block since somebody last asked. */
bool output_has_blocked(void);

struct output *output_of(int fd); /* 1 or 2 */
/* 0, or one of libuv's errors. */
int output_put(struct output *output, const char *bytes, size_t size);
int output_flush(struct output *output); /* of C's buffer, into the queue */
size_t output_pending(const struct output *output);
int output_status(const struct output *output); /* that has ended it, or 0 */
void output_hold(struct output *output); /* a task waits: the loop goes on */

#endif
