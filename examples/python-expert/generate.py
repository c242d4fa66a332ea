"""Makes Python modules of the .proto files, in generated/: `python generate.py [folder that holds proto/ and third_party/]`."""

import shutil
import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
TARGET = HERE / "generated"
# What the expert speaks, and what these import. google.* comes with the packages of requirements.txt.
PROTOS = [
    "odg/expert/v1/expert.proto",
    "odg/expert/v1/finding.proto",
    "odg/catalog/v1/dataset.proto",
    "odg/error/v1/error.proto",
    "buf/validate/validate.proto",
]


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[1]
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir()
    folders = [root / "proto", root / "third_party" / "proto", Path(grpc_tools.__file__).parent / "_proto"]
    includes = [f"-I{folder}" for folder in folders]
    return protoc.main(["protoc", *includes, f"--python_out={TARGET}", f"--grpc_python_out={TARGET}", *PROTOS])


if __name__ == "__main__":
    sys.exit(main())
