//! How many terminal columns a string takes: Chinese characters take two. Belongs here: padding and cutting by
//! columns. Not here: colours and layout (`view`).

/// Columns of one character, by the East Asian wide ranges that occur in this program's texts (Unicode TR 11).
fn columns_of(c: char) -> usize {
    match c as u32 {
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

pub fn columns(s: &str) -> usize {
    s.chars().map(columns_of).sum()
}

/// `s` cut or padded with spaces on the right to exactly `width` columns.
pub fn fit(s: &str, width: usize) -> String {
    let mut out = String::with_capacity(width);
    let mut used = 0;
    for c in s.chars() {
        if used + columns_of(c) > width {
            break;
        }
        used += columns_of(c);
        out.push(c);
    }
    out.extend(std::iter::repeat_n(' ', width - used));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns_and_is_never_cut_in_half() {
        assert_eq!(columns("队列 queue"), 10);
        assert_eq!(fit("队列", 6), "队列  ");
        assert_eq!(fit("队列", 3), "队 ");
        assert_eq!(fit("abc", 2), "ab");
        assert_eq!(fit("█░→", 3), "█░→");
    }
}
