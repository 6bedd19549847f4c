#!/usr/bin/env bash
# Install leokit and run its main job at small scale on the CPU: bash tools/quickstart.sh [ARGUMENT OF quickstart.py ...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh" perceptual,faces,heif
exec "$PYTHON" tools/quickstart.py "$@"
