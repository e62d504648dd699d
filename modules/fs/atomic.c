/* atomic.c - the new content goes into a file of its own beside the old one, to
 * the disk, and then takes its name: whoever opens that name finds the old
 * content or the new, also after the writer was killed or the power went.
 *
 * That file has one of a few names that follow from the name of the target, the
 * first that is free; its writer holds a lock on it (flock), which the system
 * takes back however the writer ends. So a file with such a name that is not
 * locked is litter, and every writer begins with a look at those names. Between
 * being created and locked a file looks like litter too: so a writer makes sure,
 * once it has the lock, that the file is still there. From then on nobody but
 * its writer removes it.
 *
 * Somebody else may have put into all of these places what is not ours to remove:
 * only then a name is drawn that no later writer looks at. */
#include "modules/fs/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "modules/fs/descriptor.h"
#include "modules/fs/filecopy.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

enum {
  LINKS_MOST = 40, /* as Linux has it */
  WRITERS_MOST = 16,
  SUFFIX = sizeof "..neap-" + UNIQUE_SIZE
};

struct target {
  int directory;    /* a descriptor */
  const char *name; /* in it */
  bool exists;
  struct stat old;
  char path[PATH_MAX]; /* without a link at its end */
};

struct draft {
  int fd;
  char name[NAME_MAX + 1];
};

/* ---- what is to be replaced ---------------------------------------------- */

/* Replaces what stands behind the last slash, or all of it. */
static bool set_end(char path[PATH_MAX], const char *end) {
  char *name = strrchr(path, '/');
  name = name == NULL || *end == '/' ? path : name + 1;
  size_t size = strlen(end) + 1;
  if (size > (size_t)(path + PATH_MAX - name)) return false;
  memcpy(name, end, size);
  return true;
}

/* A link stays, what it points to is replaced; that may not be there. */
static int follow_links(char path[PATH_MAX]) {
  char link[PATH_MAX];
  for (int i = 0; i < LINKS_MOST; i++) {
    ssize_t size = readlink(path, link, sizeof link - 1);
    if (size < 0)
      return errno == EINVAL || errno == ENOENT ? 0 : descriptor_status();
    link[size] = '\0';
    if (!set_end(path, link)) return UV_ENAMETOOLONG;
  }
  return UV_ELOOP;
}

static int open_directory(const char *path) {
  int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  int fd = open(path, flags);
#ifdef O_PATH
  if (fd < 0 && errno == EACCES) fd = open(path, flags | O_PATH);
#endif
  return fd < 0 ? descriptor_status() : fd;
}

/* The path is cut in two. */
static int open_parent(struct target *target) {
  char *slash = strrchr(target->path, '/');
  target->name = slash == NULL ? target->path : slash + 1;
  const char *parent = ".";
  if (slash == target->path) parent = "/";
  if (slash != NULL && slash > target->path) parent = target->path;
  if (*target->name == '\0')
    return *target->path == '\0' ? UV_ENOENT : UV_EISDIR;
  if (slash != NULL) *slash = '\0';
  return target->directory = open_directory(parent);
}

/* Who may not write a file may not replace it either. */
static int look_at_old(struct target *target) {
  struct stat *old = &target->old;
  if (fstatat(target->directory, target->name, old, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : descriptor_status();
  target->exists = true;
  if (S_ISDIR(old->st_mode)) return UV_EISDIR;
  if (!S_ISREG(old->st_mode)) return UV_EINVAL;
  if (faccessat(target->directory, target->name, W_OK, AT_EACCESS) < 0)
    return descriptor_status();
  return 0;
}

static int open_target(struct target *target, const char *path) {
  target->directory = -1;
  target->exists = false;
  if (strlen(path) >= PATH_MAX) return UV_ENAMETOOLONG;
  strcpy(target->path, path);
  int status = follow_links(target->path);
  if (status == 0) status = open_parent(target);
  return status < 0 ? status : look_at_old(target);
}

/* ---- the names of drafts ------------------------------------------------- */

static uint64_t hash(const char *text) {
  uint64_t sum = 0xcbf29ce484222325;
  for (; *text != '\0'; text++)
    sum = (sum ^ (unsigned char)*text) * 0x100000001b3;
  return sum;
}

static void set_name(struct draft *draft, const char *target,
                     const char *mark) {
  size_t room = sizeof draft->name;
  if (strlen(target) + SUFFIX <= room)
    snprintf(draft->name, room, ".%s.neap-%s", target, mark);
  else
    snprintf(draft->name, room, ".%016llx.neap-%s",
             (unsigned long long)hash(target), mark);
}

static void set_place(struct draft *draft, const char *target, int number) {
  const char mark[2] = {"0123456789abcdef"[number], '\0'};
  set_name(draft, target, mark);
}

/* The file with the draft's name is the one that is open. */
static bool is_there(const struct target *target, const struct draft *draft) {
  struct stat one, other;
  return fstat(draft->fd, &one) == 0 && S_ISREG(one.st_mode) &&
         fstatat(target->directory, draft->name, &other, AT_SYMLINK_NOFOLLOW) ==
           0 &&
         one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

static bool drop(const struct target *target, const struct draft *draft) {
  return unlinkat(target->directory, draft->name, 0) == 0;
}

/* True: what is in this place stays there, and nobody is seen to be at it. */
static bool clean_place(const struct target *target, struct draft *draft) {
  draft->fd = openat(target->directory, draft->name,
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (draft->fd < 0) return errno == EACCES || errno == ELOOP || errno == ENXIO;
  bool stays = false;
  if (flock(draft->fd, LOCK_EX | LOCK_NB) < 0)
    stays = errno != EWOULDBLOCK; /* this file system knows no locks */
  else
    stays = !is_there(target, draft) || !drop(target, draft);
  close(draft->fd);
  return stays;
}

/* How many of the places will never be free. */
static int clean(const struct target *target) {
  struct draft draft;
  int count = 0;
  for (int i = 0; i < WRITERS_MOST; i++) {
    set_place(&draft, target->name, i);
    if (clean_place(target, &draft)) count++;
  }
  return count;
}

/* UV_EEXIST: somebody else has this name. */
static int create(const struct target *target, struct draft *draft,
                  mode_t mode) {
  draft->fd =
    openat(target->directory, draft->name,
           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (draft->fd < 0) return descriptor_status();
  bool locked = flock(draft->fd, LOCK_EX | LOCK_NB) == 0;
  bool taken = !locked && errno == EWOULDBLOCK; /* as litter */
  if (!taken && is_there(target, draft)) return 0;
  close(draft->fd);
  draft->fd = -1;
  return UV_EEXIST;
}

static int open_draft(const struct target *target, struct draft *draft,
                      mode_t mode) {
  char unique[UNIQUE_SIZE + 1];
  int status = UV_EEXIST, lost = clean(target);
  draft->fd = -1;
  for (int i = 0; i < WRITERS_MOST && status == UV_EEXIST; i++) {
    set_place(draft, target->name, i);
    status = create(target, draft, mode);
  }
  if (status != UV_EEXIST) return status;
  if (lost < WRITERS_MOST) return UV_EAGAIN;
  status = unique_name(unique);
  if (status < 0) return status;
  set_name(draft, target->name, unique);
  return create(target, draft, mode);
}

/* ---- the content --------------------------------------------------------- */

/* The draft belongs to whom the old file belonged to, as far as that is allowed:
 * else it has no rights that are tied to the owner, and another group has none
 * that not everybody has. */
static int take_after(const struct stat *old, int fd) {
  mode_t mode = old->st_mode & 07777;
  struct stat now;
  if (fstat(fd, &now) < 0) return descriptor_status();
  bool same = now.st_uid == old->st_uid && now.st_gid == old->st_gid;
  if (!same && fchown(fd, old->st_uid, old->st_gid) < 0) {
    mode &= 0777;
    if (fchown(fd, (uid_t)-1, old->st_gid) < 0)
      mode &= ~(mode_t)070 | (mode & 07) << 3;
  }
  return fchmod(fd, mode) < 0 ? descriptor_status() : 0;
}

static int sync_file(int fd) {
#ifdef F_FULLFSYNC
  if (fcntl(fd, F_FULLFSYNC) == 0) return 0;
#endif
  return fsync(fd) < 0 ? descriptor_status() : 0;
}

/* Not every file system can do that for a directory. */
static int sync_directory(int fd) {
  int status = sync_file(fd);
  return status == UV_EIO ? status : 0;
}

static int fill(const struct target *target, const struct draft *draft,
                const char *data, size_t size, atomic_bool *given_up) {
  int status = descriptor_write_all(draft->fd, &data, &size, given_up);
  if (status == 0 && target->exists)
    status = take_after(&target->old, draft->fd);
  if (status == 0) status = sync_file(draft->fd);
  if (status == 0 && atomic_load(given_up)) status = UV_ECANCELED;
  if (status == 0 && renameat(target->directory, draft->name, target->directory,
                              target->name) < 0)
    status = descriptor_status();
  return status;
}

static int replace(const struct target *target, mode_t mode, const char *data,
                   size_t size, atomic_bool *given_up) {
  struct draft draft;
  int status = open_draft(target, &draft, target->exists ? 0600 : mode);
  if (status < 0) return status;
  status = fill(target, &draft, data, size, given_up);
  if (status < 0) drop(target, &draft);
  close(draft.fd);
  return status < 0 ? status : sync_directory(target->directory);
}

int atomic_write(const char *path, mode_t mode, const char *data, size_t size,
                 atomic_bool *given_up) {
  struct target target;
  int status = open_target(&target, path);
  if (status == 0) status = replace(&target, mode, data, size, given_up);
  if (target.directory >= 0) close(target.directory);
  return status;
}
