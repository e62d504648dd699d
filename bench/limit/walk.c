/* walk - the limit for walking a tree: one job of libuv's thread pool for each
 * directory, which reads its names; the loop gets them and goes on with the
 * directories among them, one at a time. walk DIRECTORY: prints how many entries
 * there are. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct directory {
  struct directory *next;
  uv_work_t uv;
  char *names; /* what it holds: a letter for the kind, a name, a zero */
  size_t size, room;
  char path[];
};

static struct directory *pending;
static long entries;

static void *check(void *memory) {
  if (memory == NULL) exit(1);
  return memory;
}

static void push(const char *parent, const char *name) {
  size_t room = strlen(parent) + strlen(name) + 2;
  struct directory *directory = check(calloc(1, sizeof *directory + room));
  snprintf(directory->path, room, "%s%s%s", parent, *name == '\0' ? "" : "/",
           name);
  directory->next = pending;
  pending = directory;
}

static void add(struct directory *directory, const struct dirent *entry) {
  size_t size = strlen(entry->d_name) + 2;
  if (directory->room - directory->size < size) {
    directory->room = 2 * directory->room + 4096;
    directory->names = check(realloc(directory->names, directory->room));
  }
  char *at = directory->names + directory->size;
  *at = entry->d_type == DT_DIR ? 'd' : 'f';
  memcpy(at + 1, entry->d_name, size - 1);
  directory->size += size;
}

static void work(uv_work_t *uv) {
  struct directory *directory = uv->data;
  DIR *stream = opendir(directory->path);
  if (stream == NULL) exit(1);
  for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      add(directory, entry);
  closedir(stream);
}

static void start_next(void);

static void after(uv_work_t *uv, int status) {
  struct directory *directory = uv->data;
  if (status < 0) exit(1);
  for (size_t at = 0; at < directory->size;
       at += strlen(directory->names + at) + 1) {
    entries++;
    if (directory->names[at] == 'd')
      push(directory->path, directory->names + at + 1);
  }
  free(directory->names);
  free(directory);
  start_next();
}

static void start_next(void) {
  struct directory *directory = pending;
  if (directory == NULL) return;
  pending = directory->next;
  directory->uv.data = directory;
  uv_queue_work(uv_default_loop(), &directory->uv, work, after);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  push(argv[1], "");
  start_next();
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  printf("%ld\n", entries);
  return 0;
}
