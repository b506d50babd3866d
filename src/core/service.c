#include "core/service.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

/* Where the parent waits; -1 without one. */
static int parent_fd = -1;

void
service_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

uint64_t
service_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t usec, number;

	if (text == NULL || !text_to_uint(text, 1, UINT64_MAX, &usec))
		return 0;
	if (pid != NULL &&
	    (!text_to_uint(pid, 1, INT32_MAX, &number) ||
		(pid_t)number != getpid()))
		return 0;
	return usec / 2000;
}

/* The child's first byte means that it is up; its end without one, that it is not. */
static void __attribute__((noreturn)) wait_for_child(pid_t child, int fd)
{
	char byte;
	int status;

	if (read(fd, &byte, 1) == 1)
		_exit(0);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	    WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	_exit(1);
}

static void
close_standard(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd == -1)
		return;
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int
service_daemonize(struct err *err)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_errno(err, "pipe");
	fflush(NULL);
	if ((child = fork()) == -1) {
		close(fds[0]);
		close(fds[1]);
		return err_errno(err, "fork");
	}
	if (child > 0) {
		close(fds[1]);
		wait_for_child(child, fds[0]);
	}
	close(fds[0]);
	parent_fd = fds[1];
	if (setsid() == -1)
		return err_errno(err, "setsid");
	return 0;
}

void
service_is_up(void)
{
	service_notify("READY=1");
	if (parent_fd == -1)
		return;
	close_standard();
	if (write(parent_fd, "", 1) != 1)
		_exit(1);
	close(parent_fd);
	parent_fd = -1;
}
