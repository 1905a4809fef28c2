"""The engine's calls, made into calls of `lifecycle/`, for the dynamic and the native provider alike."""
