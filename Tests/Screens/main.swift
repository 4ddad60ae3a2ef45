// Renders every screen at every size in every language. What it writes is looked at by people (scripts/screens) and read by
// other people's readers of QR codes (Tests/Screens/read_codes.py).
//
//     kibitz-screens FOLDER     one PNG each, and what the codes in it must say
//     kibitz-screens --sheet    all in one PNG on standard output
//     kibitz-screens --measure  how long a picture takes, and how much memory

import Glibc
import QRCode
import Raster
import Screens

let outputs = CommandLine.arguments.dropFirst()
switch outputs.first {
case "--sheet": try write(contactSheet(), to: "/dev/stdout")
case "--measure": try measure()
case let folder? where outputs.count == 1: try writeEach(into: folder)
default:
    print("usage: kibitz-screens FOLDER | --sheet | --measure")
    exit(2)
}
