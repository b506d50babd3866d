#include "core/config_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Not blocking: a FIFO in its place would keep the program from starting. */
static int
open_regular(const char *path, struct stat *st, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, "%m");
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return err_set(err, "not a regular file");
}

static int
read_all(int fd, struct buf *out, size_t max, struct err *err)
{
	char piece[4096];
	ssize_t got;

	while ((got = read(fd, piece, sizeof(piece))) > 0) {
		buf_add(out, piece, (size_t)got);
		if (out->len > max)
			break;
	}
	mem_wipe(piece, sizeof(piece));
	if (got < 0)
		return err_set(err, "%m");
	if (out->len > max)
		return err_set(err, "more than %zu bytes", max);
	return 0;
}

static void
warn_if_public(const char *path, mode_t mode, void (*warn)(const char *))
{
	char *text;

	if (warn == NULL || (mode & S_IROTH) == 0)
		return;
	text = mem_printf("%s: holds passwords and everybody can read it "
			  "(mode %04o); expected chmod o-r",
	    path, mode & 07777);
	warn(text);
	mem_free_string(&text);
}

int
config_file_read(struct buf *out, const char *path, size_t max,
    void (*warn)(const char *), struct err *err)
{
	struct stat st;
	int fd, rc;

	if ((fd = open_regular(path, &st, err)) < 0)
		return -1;
	if ((rc = read_all(fd, out, max, err)) == 0)
		warn_if_public(path, st.st_mode, warn);
	close(fd);
	return rc;
}

int
config_file_try(const char *path, struct err *err)
{
	struct stat st;
	int fd;

	if ((fd = open_regular(path, &st, err)) < 0)
		return -1;
	close(fd);
	return 0;
}

char *
config_file_under(const char *folder, const char *path)
{
	if (*path == '/')
		return mem_strdup(path);
	return mem_printf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
	    path);
}

char *
config_file_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *here, *folder, *given;

	if (slash == path)
		return mem_strdup("/");
	given = slash == NULL ? mem_strdup(".") :
				mem_strndup(path, (size_t)(slash - path));
	if (*given == '/')
		return given;
	if ((here = getcwd(NULL, 0)) == NULL)
		here = mem_strdup("/");
	folder = strcmp(given, ".") == 0 ? mem_strdup(here) :
					   config_file_under(here, given);
	mem_free_string(&given);
	free(here);
	return folder;
}
