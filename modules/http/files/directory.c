/* directory.c - files_list(root, name, dotfiles, details): the names of a
 * directory that can be asked for, sorted, as one text: "d" or "f", the name, a
 * NUL, and so on; and whether there are more. With details each name is followed
 * by its size and the second of its last change, "12 1700000000", and a NUL.
 * Read, looked at and sorted by a thread. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "host/error.h"
#include "host/job.h"
#include "modules/http/files/beneath.h"
#include "modules/http/files/files.h"

enum { NAMES_MOST = 100000 };

enum { AT_ROOT = 1, AT_NAME, AT_DOTFILES, AT_DETAILS, AT_BOX, AT_CALLBACK };

struct listing {
  struct job job; /* first member */
  char **names;   /* each with its letter before it, and details behind it */
  size_t count, room;
  char *text; /* of all of them */
  size_t size;
  bool dotfiles, details, is_cut;
  const char *name;
  char root[]; /* and behind it the name */
};

/* ---- in a thread --------------------------------------------------------- */

static int compare(const void *left, const void *right) {
  const char *const *a = left, *const *b = right;
  return strcmp(*a, *b); /* directories first: "d" < "f" */
}

/* With the zeros behind it, and behind its details. */
static size_t size_of(const struct listing *listing, const char *name) {
  size_t size = strlen(name) + 1;
  return listing->details ? size + strlen(name + size) + 1 : size;
}

static bool add(struct listing *listing, const char *name, char letter,
                const struct stat *about) {
  char details[48] = "";
  size_t size = strlen(name) + 1;
  if (listing->details)
    snprintf(details, sizeof details, "%lld %lld", (long long)about->st_size,
             (long long)about->st_mtime);
  if (listing->count == listing->room) {
    size_t room = listing->room * 2 + 64;
    char **names = realloc(listing->names, room * sizeof *names);
    if (names == NULL) return false;
    listing->names = names;
    listing->room = room;
  }
  char *copy = malloc(size + sizeof details + 1);
  if (copy == NULL) return false;
  copy[0] = letter;
  memcpy(copy + 1, name, size);
  memcpy(copy + 1 + size, details, sizeof details);
  listing->names[listing->count++] = copy;
  listing->size += size_of(listing, copy);
  return true;
}

/* A link that leads out, a pipe, a device: 0, nobody would be given it. */
static char letter_of(int fd, const struct listing *listing, int root,
                      const char *name, struct stat *about) {
  char path[PATH_MAX];
  if (fstatat(fd, name, about, AT_SYMLINK_NOFOLLOW) < 0) return 0;
  if (S_ISLNK(about->st_mode)) {
    size_t size = strlen(listing->name), name_size = strlen(name);
    if (size + name_size + 2 > sizeof path) return 0;
    memcpy(path, listing->name, size);
    if (size > 0) path[size++] = '/';
    memcpy(path + size, name, name_size + 1);
    int target = beneath_open_to_read(root, path, about);
    if (target < 0) return 0;
    close(target);
  }
  if (S_ISDIR(about->st_mode)) return 'd';
  return S_ISREG(about->st_mode) ? 'f' : 0;
}

static char letter(int fd, const struct listing *listing, int root,
                   const struct dirent *entry, struct stat *about) {
  const char *name = entry->d_name;
  if (name[0] == '.') {
    if (!listing->dotfiles) return 0;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return 0;
  }
  if (entry->d_type == DT_REG && !listing->details) return 'f';
  if (entry->d_type == DT_DIR && !listing->details) return 'd';
  return letter_of(fd, listing, root, name, about);
}

static int read_names(struct listing *listing, int root, DIR *directory) {
  while (!job_is_given_up(&listing->job)) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (entry == NULL) return errno == 0 ? 0 : uv_translate_sys_error(errno);
    struct stat about;
    char found = letter(dirfd(directory), listing, root, entry, &about);
    if (found == 0) continue;
    listing->is_cut = listing->count == NAMES_MOST;
    if (listing->is_cut) return 0;
    if (!add(listing, entry->d_name, found, &about)) return UV_ENOMEM;
  }
  return UV_ECANCELED;
}

static int join(struct listing *listing) {
  if (listing->count == 0) return 0;
  qsort(listing->names, listing->count, sizeof *listing->names, compare);
  char *to = listing->text = malloc(listing->size);
  if (to == NULL) return UV_ENOMEM;
  for (size_t i = 0; i < listing->count; i++) {
    size_t size = size_of(listing, listing->names[i]);
    memcpy(to, listing->names[i], size);
    to += size;
  }
  return 0;
}

static int list(struct listing *listing, int root) {
  int fd = beneath_open(root, listing->name, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd;
  DIR *directory = fdopendir(fd);
  if (directory == NULL) {
    int why = uv_translate_sys_error(errno);
    close(fd);
    return why;
  }
  int status = read_names(listing, root, directory);
  closedir(directory);
  return status == 0 ? join(listing) : status;
}

static void work(struct job *job) {
  struct listing *listing = (struct listing *)job;
  int root = open(listing->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    job->status = uv_translate_sys_error(errno);
    return;
  }
  job->status = list(listing, root);
  close(root);
  for (size_t i = 0; i < listing->count; i++) free(listing->names[i]);
  free(listing->names);
  listing->names = NULL;
}

/* ---- on the loop --------------------------------------------------------- */

static void let_go(struct job *job) {
  free(((struct listing *)job)->text);
}

static int finish(lua_State *L) {
  const struct listing *listing = job_at(L, AT_BOX);
  int status = job_status(L, &listing->job), count = 2;
  if (status < 0) {
    lua_pushfstring(L, "list %s/%s", lua_tostring(L, AT_ROOT),
                    lua_tostring(L, AT_NAME));
    count = error_result(L, status, lua_tostring(L, -1));
  } else {
    lua_pushlstring(L, listing->text == NULL ? "" : listing->text,
                    listing->size);
    lua_pushboolean(L, listing->is_cut);
  }
  job_done(L, AT_BOX);
  return count;
}

static const struct job_kind kind = {
  .wait = {files_waits, finish, job_interrupt}, .work = work, .free = let_go};

int files_list(lua_State *L) {
  size_t root_size, name_size;
  const char *root = luaL_checklstring(L, AT_ROOT, &root_size);
  const char *name = luaL_checklstring(L, AT_NAME, &name_size);
  lua_settop(L, AT_DETAILS);
  struct listing *listing =
    job_push(L, &kind, sizeof *listing + root_size + name_size + 2);
  memcpy(listing->root, root, root_size + 1);
  memcpy(listing->root + root_size + 1, name, name_size + 1);
  listing->name = listing->root + root_size + 1;
  listing->dotfiles = lua_toboolean(L, AT_DOTFILES);
  listing->details = lua_toboolean(L, AT_DETAILS);
  lua_pushnil(L);
  return job_start(L, &listing->job, AT_CALLBACK, WAIT_FOREVER);
}
