"""Response headers that keep every page to this server alone."""

__all__ = ["content_security_policy"]

# blob: because both videos of a trial are whole in memory before they play.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def content_security_policy(get_response):
    """Add the content security policy and the permissions policy to every response."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), display-capture=()"
        )
        return response

    return middleware
