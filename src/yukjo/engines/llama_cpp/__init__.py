"""llama.cpp in this process, through the C API that xllamacpp's extension exports."""
