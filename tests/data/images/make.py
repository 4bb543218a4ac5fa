"""Makes the pictures in this folder, and `pixels.sha256`: checksums of the pixels that Pillow decodes from the JPEGs.

Needs Pillow (its wheels bundle libjpeg-turbo), NumPy and ffmpeg. Run in this folder. The tests need none of them.
"""

import hashlib
import io
import pathlib
import subprocess

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent

# Cyan, black; white, a dark yellow.
INKS = np.array([[[255, 0, 0, 0], [0, 0, 0, 255]], [[0, 0, 0, 0], [0, 0, 255, 128]]], np.uint8)

# Red, green, blue; nearly white, nearly black, grey.
COLOURS = np.array([[[230, 30, 30], [30, 200, 30], [30, 30, 220]], [[240] * 3, [20] * 3, [128] * 3]], np.uint8)


def scene(width, height):
    """Smooth gradients with hard, coloured edges: every chroma sampling shows."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x * 5 + y * 3) % 256], axis=2)
    pixels[height // 4 : height // 2, width // 3 : width // 2] = (250, 20, 30)
    pixels[height // 2 :, : width // 5] = (10, 240, 40)
    return Image.fromarray(pixels.astype(np.uint8))


def blocks(colours):
    """Each colour as a block of 8 by 8 pixels."""
    return np.repeat(np.repeat(colours, 8, 0), 8, 1)


def jpegs():
    picture = scene(37, 29)
    for name, options in {
        "444": dict(subsampling="4:4:4"),
        "422": dict(subsampling="4:2:2"),
        "420": dict(subsampling="4:2:0"),
        "420_restarts": dict(subsampling="4:2:0", restart_marker_blocks=2),
        "420_progressive": dict(subsampling="4:2:0", progressive=True),
        "444_progressive": dict(subsampling="4:4:4", progressive=True),
        "rgb": dict(keep_rgb=True),
    }.items():
        picture.save(HERE / f"{name}.jpg", quality=85, **options)
    picture.convert("L").save(HERE / "grey.jpg", quality=85)
    picture.convert("L").save(HERE / "grey_progressive.jpg", quality=85, progressive=True)
    picture.crop((3, 2, 4, 3)).save(HERE / "one_pixel.jpg")
    png = io.BytesIO()
    picture.save(png, "PNG")
    for name in ("440", "411"):
        command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "png_pipe", "-i", "-", "-pix_fmt", f"yuvj{name}p"]
        command += ["-q:v", "3", "-bitexact", str(HERE / f"{name}.jpg")]
        subprocess.run(command, check=True, input=png.getvalue())
    for path in HERE.glob("4*.jpg"):
        image = Image.open(path)
        assert image.size == (37, 29), path
    with open(HERE / "pixels.sha256", "w") as sums:
        for path in sorted(HERE.glob("*.jpg")):
            pixels = Image.open(path).convert("RGB").tobytes()
            sums.write(f"{hashlib.sha256(pixels).hexdigest()}  {path.name}\n")
    # Written after the checksums: Pillow converts inks to RGB in another way.
    inks = Image.fromarray(blocks(INKS), "CMYK")
    inks.save(HERE / "cmyk_adobe.jpg", quality=95)


def oriented():
    upright = Image.fromarray(blocks(COLOURS))
    # What a camera stores so that the tag turns it upright: the inverse of the tag's operation.
    stored = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    for value, store in stored.items():
        exif = Image.Exif()
        exif[0x0112] = value
        image = store(upright)
        image.save(HERE / f"orientation_{value}.jpg", quality=95, subsampling="4:4:4", exif=exif)
        back = ImageOps.exif_transpose(Image.open(HERE / f"orientation_{value}.jpg"))
        assert np.abs(np.asarray(back).astype(int) - np.asarray(upright)).max() <= 6, value
        if value == 6:
            image.save(HERE / "orientation_6.png", exif=exif)
            image.save(HERE / "orientation_6.webp", lossless=True, exif=exif)
            image.save(HERE / "orientation_6.tif", compression="tiff_lzw", tiffinfo={0x0112: 6})


def others():
    # Columns: opaque red, opaque green, half transparent blue, nothing.
    palette = Image.new("P", (4, 1))
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    palette.putdata([0, 1, 2, 3])
    palette.save(HERE / "palette_alpha.png", transparency=bytes([255, 255, 128, 0]), bits=2)
    palette.save(HERE / "palette.bmp")
    palette.save(HERE / "palette.tif")
    palette.save(HERE / "transparent.gif", transparency=3)
    colours = palette.convert("RGB")
    frame = io.BytesIO()
    palette.save(frame, "GIF")
    (HERE / "offset_frame.gif").write_bytes(with_offset_frame(frame.getvalue()))
    second = ImageOps.mirror(colours)
    for name in ("animation.gif", "animation.webp", "animation.png"):
        extra = dict(lossless=True) if name.endswith("webp") else {}
        colours.save(HERE / name, save_all=True, append_images=[second], duration=100, **extra)
    bits = Image.new("1", (10, 1))
    bits.putdata([0, 1, 0, 0, 1, 1, 0, 1, 0, 1])
    bits.save(HERE / "one_bit.png")
    bits.save(HERE / "one_bit.tif", compression="group4")
    Image.fromarray(INKS, "CMYK").save(HERE / "cmyk.tif", compression="tiff_deflate")
    Image.fromarray(np.array([[0, 128, 129, 65535]], np.uint16)).save(HERE / "grey_16_bit.tif")
    half = Image.new("RGBA", (2, 1))
    half.putdata([(0, 50, 128, 128), (1, 2, 3, 255)])
    half.save(HERE / "alpha.tif")
    half.save(HERE / "alpha.bmp")
    half.save(HERE / "alpha.webp", lossless=True, exact=True)
    Image.new("RGBA", (16, 16), (200, 40, 60, 128)).save(HERE / "lossy_alpha.webp", quality=90)


def with_offset_frame(gif):
    """The same frame at (2, 1) of a canvas of 8 by 3."""
    gif = bytearray(gif)
    gif[6:10] = (8, 0, 3, 0)
    descriptor = gif.index(b"\x2c\0\0\0\0\x04\0\x01\0")
    gif[descriptor + 1 : descriptor + 5] = (2, 0, 1, 0)
    return bytes(gif)


if __name__ == "__main__":
    for old in HERE.glob("*"):
        if old.suffix != ".py":
            old.unlink()
    jpegs()
    oriented()
    others()
