/* descent.h - the way down from a directory to the one that is worked on.
 *
 * All of it goes by descriptors, never by paths: a path may be longer than the
 * system takes, and may lead elsewhere when somebody puts a link into it. Only
 * the last few levels are open, so a way of 10,000 levels is no problem. A level
 * further up is opened again through "..", and must be the directory it was.
 * In threads: no Lua, no host. A status is one of libuv's. */
#ifndef MODULES_FS_DESCENT_H
#define MODULES_FS_DESCENT_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

struct level {
  int fd;    /* -1: closed for a while */
  DIR *dir;  /* that has the descriptor, while it is read; or NULL */
  dev_t dev; /* with `ino`: what it is */
  ino_t ino;
  bool linked;  /* entered by a link: ".." does not lead back */
  bool is_new;  /* for who makes it: see copying.c */
  bool is_read; /* for who goes through a tree: see tree.c */
  size_t path;  /* the same */
  size_t names; /* the same */
};

struct descent { /* zero: nothing is open */
  struct level *levels;
  size_t depth, room;
  size_t lowest; /* no level before it is open, but what lies below a link */
  int open;
};

/* One level down, into `fd`, which it takes in any case. */
int descent_enter(struct descent *descent, int fd, bool linked);
/* A descriptor of the directory of that name. Where there are none left some of
 * the levels are closed for it. */
int descent_find(struct descent *descent, const char *name, bool follow);
int descent_open(struct descent *descent, const char *name); /* and enters it */
/* One level up; the first one is left as any other. */
int descent_leave(struct descent *descent);
struct level *descent_top(const struct descent *descent);
int descent_fd(const struct descent *descent); /* of the last level */
/* It is a level that is on the way. */
bool descent_has(const struct descent *descent, dev_t dev, ino_t ino);
/* Has its entries read: level->dir. */
int descent_read(struct level *level);
void descent_close(struct descent *descent); /* all of it; idempotent */

/* Where a path leads to, for good: a descriptor of the directory that its last
 * part is in, or a status. *name is that part, with the slashes behind it; from
 * malloc, NULL where it fails. The working directory may change while a tree is
 * worked on. */
int descent_around(const char *path, char **name);

/* A directory only to look from, for open(2): no right to read is needed. */
#ifdef O_PATH
enum { DESCENT_LOOK = O_PATH | O_DIRECTORY | O_CLOEXEC };
#else
enum { DESCENT_LOOK = O_RDONLY | O_DIRECTORY | O_CLOEXEC };
#endif

#endif
