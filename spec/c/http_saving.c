/* http_saving.c - saving.c where file systems fail, or cannot do what others can:
 * the whole file is there under its name, or what was there before, and nothing
 * beside it. */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

static int refused_link(const char *from, const char *to);
static ssize_t refused_copy(int from, off_t *at, int to, off_t *offset,
                            size_t size, unsigned flags);
static ssize_t failing_write(int fd, const void *bytes, size_t size);

#define link refused_link
#define copy_file_range refused_copy
#define write failing_write
#define saving_open_nameless own_open_nameless
#define saving_step own_step
#define saving_drop own_drop
#include "modules/http/forms/saving.c"
#undef write
#undef link

#include <assert.h>

enum { SIZE = 200000 };

static char directory[] = "/tmp/neap-saving-XXXXXX";
static size_t room; /* bytes that can be written until the disk is full */

static int refused_link(const char *from, const char *to) {
  struct stat about;
  (void)from;
  errno = lstat(to, &about) == 0 ? EEXIST : EPERM; /* as FAT does it */
  return -1;
}

static ssize_t refused_copy(int from, off_t *at, int to, off_t *offset,
                            size_t size, unsigned flags) {
  (void)from, (void)at, (void)to, (void)offset, (void)size, (void)flags;
  errno = EXDEV;
  return -1;
}

/* A few bytes less than it was asked for. */
static ssize_t failing_write(int fd, const void *bytes, size_t size) {
  if (room == 0) {
    errno = ENOSPC;
    return -1;
  }
  if (size > 1000) size = size * 2 / 3;
  if (size > room) size = room;
  room -= size;
  return write(fd, bytes, size);
}

static int count_names(void) {
  int count = -2; /* "." and ".." */
  DIR *names = opendir(directory);
  assert(names != NULL);
  while (readdir(names) != NULL) count++;
  closedir(names);
  return count;
}

static const char *path_of(const char *name) {
  static char path[sizeof directory + 20];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

static int save(int from, const char *name, bool overwrite) {
  struct saving saving = {
    .from = from, .path = path_of(name), .overwrite = overwrite};
  while (saving_step(&saving)) continue;
  assert(saving.to == -1 && saving.beside == NULL);
  return saving.status;
}

static off_t size_of(const char *name) {
  struct stat about;
  return stat(path_of(name), &about) < 0 ? -1 : about.st_size;
}

static int make_upload(void) {
  static char bytes[SIZE];
  bool links;
  int fd = saving_open_nameless(directory, &links);
  assert(fd >= 0 && count_names() == 0);
  assert(pwrite(fd, bytes, SIZE, 0) == SIZE);
  return fd;
}

static void test_no_links(int from) {
  room = SIZE_MAX;
  assert(save(from, "a", false) == 0 && size_of("a") == SIZE);
  assert(save(from, "a", false) == UV_EEXIST && count_names() == 1);
  assert(save(from, "a", true) == 0 && count_names() == 1);
  assert(save(from, "none/a", false) == UV_ENOENT);
  assert(mkdir(path_of("b"), 0755) == 0);
  assert(save(from, "b", true) == UV_EISDIR);
  assert(save(from, "b", false) == UV_EEXIST && count_names() == 2);
}

static void test_full(int from) {
  for (size_t at = 0; at < SIZE; at += SIZE / 7) {
    room = at;
    assert(save(from, "c", false) == UV_ENOSPC && size_of("c") == -1);
    room = at;
    assert(save(from, "a", true) == UV_ENOSPC && size_of("a") == SIZE);
    assert(count_names() == 2);
  }
}

/* Given up in the middle. */
static void test_drop(int from) {
  room = SIZE_MAX;
  for (int steps = 0; steps < 4; steps++) {
    struct saving saving = {.from = from, .path = path_of("c")};
    for (int i = 0; i < steps; i++) assert(saving_step(&saving));
    saving_drop(&saving);
    saving_drop(&saving);
    assert(size_of("c") == -1 && count_names() == 2);
  }
}

int main(void) {
  char command[64];
  assert(mkdtemp(directory) != NULL);
  int from = make_upload();
  test_no_links(from);
  test_full(from);
  test_drop(from);
  close(from);
  snprintf(command, sizeof command, "rm -r %s", directory);
  assert(system(command) == 0);
  return 0;
}
