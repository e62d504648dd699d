/* descent.c - a stack of directories, of which the last few are open. */
#include "modules/fs/descent.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
  OPEN_MOST = 32, /* at a time: four threads are to leave some for the others */
  LEVELS_FIRST = 16
};

static int error_now(void) {
  return uv_translate_sys_error(errno);
}

struct level *descent_top(const struct descent *descent) {
  return &descent->levels[descent->depth - 1];
}

int descent_fd(const struct descent *descent) {
  return descent_top(descent)->fd;
}

static void close_level(struct descent *descent, struct level *level) {
  if (level->fd < 0) return;
  if (level->dir != NULL)
    closedir(level->dir);
  else
    close(level->fd);
  level->dir = NULL;
  level->fd = -1;
  descent->open--;
}

/* The first one that is open and can be opened again. The last is in use. */
static bool close_one(struct descent *descent) {
  for (size_t i = descent->lowest; i + 1 < descent->depth; i++) {
    struct level *level = &descent->levels[i];
    descent->lowest = i + 1;
    if (level->fd < 0 || level[1].linked) continue;
    close_level(descent, level);
    return true;
  }
  return false;
}

static bool make_room(struct descent *descent) {
  if (descent->depth < descent->room) return true;
  size_t room = descent->room == 0 ? LEVELS_FIRST : descent->room * 2;
  struct level *levels = realloc(descent->levels, room * sizeof *levels);
  if (levels == NULL) return false;
  descent->levels = levels;
  descent->room = room;
  return true;
}

int descent_enter(struct descent *descent, int fd, bool linked) {
  struct stat info;
  int status = fstat(fd, &info) < 0 ? error_now() : 0;
  if (status == 0 && !make_room(descent)) status = UV_ENOMEM;
  if (status < 0) {
    close(fd);
    return status;
  }
  descent->levels[descent->depth++] = (struct level){
    .fd = fd, .dev = info.st_dev, .ino = info.st_ino, .linked = linked};
  if (++descent->open > OPEN_MOST) close_one(descent);
  return 0;
}

int descent_find(struct descent *descent, const char *name, bool follow) {
  int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
  int fd;
  do fd = openat(descent_fd(descent), name, flags);
  while (fd < 0 && (errno == EINTR || (errno == EMFILE && close_one(descent))));
  return fd < 0 ? error_now() : fd;
}

int descent_open(struct descent *descent, const char *name) {
  int fd = descent_find(descent, name, false);
  return fd < 0 ? fd : descent_enter(descent, fd, false);
}

/* It may have been moved meanwhile, and we with it: then ".." is another one. */
static int open_again(struct descent *descent, struct level *level) {
  struct stat info;
  int fd = descent_find(descent, "..", false);
  if (fd < 0) return fd;
  int status = fstat(fd, &info) < 0 ? error_now() : 0;
  if (status == 0 && (info.st_dev != level->dev || info.st_ino != level->ino))
    status = UV_ENOENT;
  if (status < 0) {
    close(fd);
    return status;
  }
  level->fd = fd;
  descent->open++;
  size_t index = (size_t)(level - descent->levels);
  if (index < descent->lowest) descent->lowest = index;
  return 0;
}

int descent_leave(struct descent *descent) {
  assert(descent->depth > 0);
  if (descent->depth > 1) {
    struct level *below = &descent->levels[descent->depth - 2];
    int status = below->fd < 0 ? open_again(descent, below) : 0;
    if (status < 0) return status;
  }
  close_level(descent, descent_top(descent));
  descent->depth--;
  if (descent->lowest > descent->depth) descent->lowest = descent->depth;
  return 0;
}

bool descent_has(const struct descent *descent, dev_t dev, ino_t ino) {
  for (size_t i = descent->depth; i-- > 0;)
    if (descent->levels[i].ino == ino && descent->levels[i].dev == dev)
      return true;
  return false;
}

int descent_read(struct level *level) {
  level->dir = fdopendir(level->fd);
  return level->dir == NULL ? error_now() : 0;
}

void descent_close(struct descent *descent) {
  for (size_t i = 0; i < descent->depth; i++)
    close_level(descent, &descent->levels[i]);
  free(descent->levels);
  *descent = (struct descent){0};
}

/* ---- the way to the first level ------------------------------------------ */

int descent_around(const char *path, char **name) {
  size_t start = strlen(path);
  while (start > 0 && path[start - 1] == '/') start--;
  while (start > 0 && path[start - 1] != '/') start--;
  *name = strdup(path + start);
  char *directory = start == 0 ? strdup(".") : strndup(path, start);
  int fd = UV_ENOENT;
  if (*name == NULL || directory == NULL)
    fd = UV_ENOMEM;
  else if (path[0] != '\0' && (fd = open(directory, DESCENT_LOOK)) < 0)
    fd = error_now();
  free(directory);
  if (fd >= 0) return fd;
  free(*name);
  *name = NULL;
  return fd;
}
