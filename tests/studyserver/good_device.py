"""What a browser measures on a device that can show the tiny set."""

GOOD = {
    "screen_width": 1920,
    "screen_height": 1080,
    "window_width": 1900,
    "window_height": 950,
    "device_pixel_ratio": 1,
    "browser_zoom": 1,
    "fullscreen": False,
    "refresh_hz": 59.9,
    "mobile": False,
    "touch_only": False,
    "touch_points": 0,
    "browser": "Chrome 156",
    "decoding": [{"supported": True, "smooth": True, "power_efficient": False}],
    "speed_mbps": 90.5,
}
