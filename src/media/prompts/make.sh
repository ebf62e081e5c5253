#!/bin/sh
# Remakes the built-in prompts with espeak-ng and sox (run by hand when a text changes; the WAV files are committed) and
# speech.rs, the list of them. 8 kHz mono, silence trimmed, peak at -6 dBFS so that A-law keeps its headroom. A-law for
# what every caller hears; IMA ADPCM, half as large, for the rest.
set -eu
cd "$(dirname "$0")"

say() { # file encoding voice speed text
    espeak-ng -b 1 -v "$3" -s "$4" -w "$1.raw.wav" -- "$5"
    sox -V1 "$1.raw.wav" -r 8000 -c 1 -b 16 "$1.linear.wav" \
        highpass 120 silence 1 0.02 0.5% reverse silence 1 0.02 0.5% reverse norm -6 fade t 0.005 pad "$lead" "$rest"
    sox -V1 "$1.linear.wav" -e "$2" "$1.wav"
    rm "$1.raw.wav" "$1.linear.wav"
}

lead=0.03 rest=0.06
say greeting a-law cmn-latn-pinyin 165 '您好，这里是一二三四五政务服务便民热线。'
say greeting-en ima-adpcm en-us 155 'Hello, this is the one two three four five government service hotline.'
say greeting-ja ima-adpcm ja 160 'こんにちは。いち に さん よん ご、ぎょうせい サービス ホットライン です。'
say greeting-ko ima-adpcm ko 160 '안녕하세요. 일이삼사오 정부 서비스 핫라인입니다.'
say greeting-fr ima-adpcm fr-fr 155 'Bonjour, vous êtes au un deux trois quatre cinq, la ligne des services publics.'
say please-wait a-law cmn-latn-pinyin 165 '请稍候，正在为您转接。'
say agent-number a-law cmn-latn-pinyin 165 '工号'
say at-your-service a-law cmn-latn-pinyin 165 '为您服务。'

# On the telephone 1 is read yāo, so that it is not taken for 7 (qī).
n=0
for word in 零 幺 二 三 四 五 六 七 八 九; do
    say "digit-$n" a-law cmn-latn-pinyin 165 "$word"
    n=$((n + 1))
done

lead=0.02 rest=0.02
grep -v '^#' texts.txt | while IFS='|' read -r language name text; do
    mkdir -p "$language"
    encoding=ima-adpcm
    case $language in
        zh) voice=cmn-latn-pinyin speed=200 ;;
        en) voice=en-us speed=180 ;;
        ja) voice=ja speed=195 ;;
        ko) voice=ko speed=195 ;;
        fr) voice=fr-fr speed=180 ;;
        ru) voice=ru speed=195 ;;
        de) voice=de speed=195 ;;
    esac
    say "$language/$name" $encoding $voice $speed "$text" < /dev/null
done

{
    echo '//! The speech of the built-in set by name. Written by make.sh; change texts.txt, not this.'
    echo
    echo '#[rustfmt::skip]'
    echo 'pub static SPEECH: &[(&str, &[u8])] = &['
    for file in *.wav; do
        echo "    (\"${file%.wav}\", include_bytes!(\"$file\")),"
    done
    for file in ??/*.wav; do
        name=${file#*/}
        echo "    (\"${name%.wav}-${file%%/*}\", include_bytes!(\"$file\")),"
    done
    echo '];'
} > speech.rs
