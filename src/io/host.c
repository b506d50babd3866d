#include "io/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool
parse_v4(const char *host, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, host, &v4.sin_addr) != 1)
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out, &v4, sizeof(v4));
	return true;
}

static bool
parse_v6(const char *host, struct sockaddr_storage *out)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	char bare[INET6_ADDRSTRLEN];
	size_t len = strlen(host);

	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len >= sizeof(bare))
		return false;
	memcpy(bare, host, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET6, bare, &v6.sin6_addr) != 1)
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out, &v6, sizeof(v6));
	return true;
}

static bool
is_localhost(const char *host)
{
	static const char suffix[] = ".localhost";
	size_t len = strlen(host), tail = sizeof(suffix) - 1;

	return strcasecmp(host, suffix + 1) == 0 ||
	    (len > tail && strcasecmp(host + len - tail, suffix) == 0);
}

size_t
host_plain(const char *host, struct sockaddr_storage out[HOST_ADDRESSES])
{
	if (is_localhost(host))
		return parse_v6("::1", &out[0]) +
		    parse_v4("127.0.0.1", &out[1]);
	return parse_v4(host, out) || parse_v6(host, out);
}
