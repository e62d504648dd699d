/* files - the limit for reading files: one job of libuv's thread pool a file,
 * which opens it, asks for its size, reads and closes it.
 * files DIRECTORY FILES COUNT: reads the files "1", "2" ... FILES in turn, COUNT
 * in all, 64 in flight, each into memory of its own; prints the bytes read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { IN_FLIGHT = 64 };

struct read {
  uv_work_t uv;
  char path[256];
  char *text;
  size_t size;
};

static const char *directory;
static long files, count, begun, total;

static void work(uv_work_t *uv) {
  struct read *read_ = uv->data;
  struct stat about;
  int fd = open(read_->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &about) < 0) exit(1);
  read_->text = malloc((size_t)about.st_size + 1);
  ssize_t got = read(fd, read_->text, (size_t)about.st_size + 1);
  if (got != about.st_size) exit(1);
  read_->size = (size_t)got;
  close(fd);
}

static void begin(struct read *read_);

static void after(uv_work_t *uv, int status) {
  struct read *read_ = uv->data;
  if (status < 0) exit(1);
  total += (long)read_->size;
  free(read_->text);
  begin(read_);
}

static void begin(struct read *read_) {
  if (begun == count) return;
  snprintf(read_->path, sizeof read_->path, "%s/%ld", directory,
           begun++ % files + 1);
  uv_queue_work(uv_default_loop(), &read_->uv, work, after);
}

int main(int argc, char **argv) {
  static struct read reads[IN_FLIGHT];
  if (argc < 4) return 2;
  directory = argv[1];
  files = atol(argv[2]);
  count = atol(argv[3]);
  for (int i = 0; i < IN_FLIGHT; i++) {
    reads[i].uv.data = &reads[i];
    begin(&reads[i]);
  }
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  printf("%ld\n", total);
  return 0;
}
