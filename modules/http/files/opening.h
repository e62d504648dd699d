/* opening.h - what a request wants of a root is found, opened, and read where it
 * is small: by the loop at once, if all of that is in memory, else in one trip to
 * the thread pool. */
#ifndef HTTP_FILES_OPENING_H
#define HTTP_FILES_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#ifdef __APPLE__ /* has other names for what POSIX calls so */
#define st_mtim st_mtimespec
#endif

enum { INLINE_MOST = 65536 };

enum encoding { AS_IT_IS, AS_BR, AS_GZIP, ENCODINGS };

struct opening {
  /* what is wanted */
  const char *root; /* a directory; or, where `name` is NULL, the file itself */
  const char *name; /* in it: see path_normalize */
  const char *index;     /* of a directory, or NULL */
  bool slash;            /* only a directory is meant */
  bool reads;            /* its contents, if it is small */
  bool siblings;         /* name.br and name.gz may be sent instead: */
  bool at_once;          /* by the loop; UV_EAGAIN: that might wait */
  enum encoding best[4]; /* where there is none, br (1), gz (2), both (3) */
  /* what there is */
  int fd; /* -1: it is closed */
  bool is_directory;
  bool is_index;
  bool varies; /* there are siblings */
  enum encoding encoding;
  struct stat about;
  char *text; /* all of it, or NULL; see text_take */
};

/* 0, or one of libuv's statuses. */
int opening_run(struct opening *opening);
/* In a thread, all of `size` bytes: UV_EOF where there are fewer. */
int opening_read(int fd, char *text, size_t size, off_t at);
/* Lets go of what there is. */
void opening_free(struct opening *opening);

/* Room for INLINE_MOST bytes, or NULL. One that the loop gives back is kept. */
char *text_take(bool on_loop);
void text_give_back(char *text); /* on the loop; or NULL */

#endif
