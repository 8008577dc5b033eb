//! The bytes of a table's file while it is written: the last of them in memory, the others in a nameless file of this
//! machine.
//!
//! All tables of a run grow side by side, and each part is put whole. A part that waits for its put need not wait in memory.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use bytes::Bytes;
use object_store::PutPayload;

/// Bytes that are kept in memory before they go into the file. A small run's parts never need one.
const IN_MEMORY: usize = 256 * 1024;

/// A growing file.
#[derive(Debug, Default)]
pub(crate) struct PartBytes {
    tail: Vec<u8>,
    head: Head,
}

/// Where the bytes before the tail are.
#[derive(Debug, Default)]
enum Head {
    /// There are none yet.
    #[default]
    None,
    /// In a file, so many of them.
    Spilled(File, usize),
    /// In the tail: this machine has no room for a file.
    NoRoom,
}

impl PartBytes {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        match self.head {
            Head::Spilled(_, spilled) => spilled + self.tail.len(),
            Head::None | Head::NoRoom => self.tail.len(),
        }
    }

    /// All bytes, in memory.
    pub(crate) fn into_payload(mut self) -> io::Result<PutPayload> {
        match &mut self.head {
            Head::None | Head::NoRoom => Ok(self.tail.into()),
            Head::Spilled(file, spilled) => {
                let head = read_back(file, *spilled)?;
                Ok([head, self.tail].into_iter().map(Bytes::from).collect())
            }
        }
    }

    /// Moves the tail into the file. Where that cannot be made, or is full, all bytes are kept in memory: a machine
    /// without room for temporary files can commit as well.
    fn spill(&mut self) -> io::Result<()> {
        if let Head::None = self.head {
            self.head = tempfile::tempfile().map_or(Head::NoRoom, |file| Head::Spilled(file, 0));
        }
        let Head::Spilled(file, spilled) = &mut self.head else { return Ok(()) };
        if file.write_all(&self.tail).is_ok() {
            *spilled += self.tail.len();
            self.tail.clear();
        } else {
            let mut all = read_back(file, *spilled)?;
            all.append(&mut self.tail);
            (self.tail, self.head) = (all, Head::NoRoom);
        }
        Ok(())
    }
}

fn read_back(file: &mut File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    file.rewind()?;
    file.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

impl Write for PartBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tail.extend_from_slice(bytes);
        if self.tail.len() >= IN_MEMORY && !matches!(self.head, Head::NoRoom) {
            self.spill()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes so many bytes in pieces, reads them back, and returns whether a file has any of them.
    fn check(mut part: PartBytes, length: usize) -> bool {
        let expected: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        expected.chunks(8_191).for_each(|piece| part.write_all(piece).unwrap());
        let is_spilled = matches!(part.head, Head::Spilled(..));
        assert_eq!((part.len(), part.tail.len() < IN_MEMORY), (length, is_spilled || length < IN_MEMORY));
        assert!(Bytes::from(part.into_payload().unwrap()) == expected);
        is_spilled
    }

    #[test]
    fn what_is_written_is_read_back_from_wherever_it_was() {
        for (length, is_spilled) in [(0, false), (1, false), (IN_MEMORY - 1, false), (3 * IN_MEMORY + 5, true)] {
            assert_eq!(check(PartBytes::default(), length), is_spilled, "{length}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_machine_without_room_for_files_keeps_all_in_memory() {
        let full = File::options().read(true).write(true).open("/dev/full").unwrap();
        let part = PartBytes { head: Head::Spilled(full, 0), ..PartBytes::default() };
        assert!(!check(part, 3 * IN_MEMORY));
    }
}
