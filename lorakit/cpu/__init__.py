"""What makes torch quicker on a CPU than it is by itself; `LORAKIT_CPU_PATCHES=0` turns all of it off.

Each module is one such thing and asks `cpu_patches` where it begins: without it torch, diffusers and PEFT do
as they always do.
"""
